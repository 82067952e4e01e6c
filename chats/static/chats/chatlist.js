/**
 * The chat list's elements: headings and entries, brought up to date with as few changes as there is news.
 */
import { h, icon } from "wb/dom";
import { calendar, shelfOf } from "wb/shelves";
import { gettext } from "wb/words";

export class ChatList {
  #items = new Map(); // chat id → {element, link, title, dot}
  #headings = new Map(); // words → element
  #days = calendar();

  /** @param {HTMLElement} element @param {object} doings `addressOf(id)`; `onOpen(id)`; `onMenu(chatId, button)` */
  constructor(element, { addressOf, onOpen, onMenu }) {
    Object.assign(this, { element, addressOf });
    element.addEventListener("click", (event) => {
      if (event.target.closest("[role=menu]")) return undefined; // it opens inside its entry
      const entry = event.target.closest("li[data-chat]");
      const button = event.target.closest("button.more");
      if (button && entry) return onMenu(entry.dataset.chat, button);
      const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
      if (!entry || !isPlain || !event.target.closest("a")) return undefined;
      event.preventDefault();
      return onOpen(entry.dataset.chat);
    });
  }

  /**
   * @param {object[]} chats in order @param {object} view `current`: the open chat's id; `isRunning(id)`;
   *   `grouped`: with headings
   */
  show(chats, { current, isRunning, grouped }) {
    if (Date.now() >= this.#days.until) this.#days = calendar();
    const elements = [];
    const kept = new Set();
    let heading = "";
    for (const chat of chats) {
      const shelf = grouped ? shelfOf(chat, this.#days) : "";
      if (shelf !== heading) elements.push(this.#heading((heading = shelf)));
      elements.push(this.#entry(chat, chat.id === current, isRunning(chat.id)));
      kept.add(chat.id);
    }
    for (const id of [...this.#items.keys()]) if (!kept.has(id)) this.#items.delete(id);
    this.#place(elements);
  }

  /** The entry of a chat, if it is on the list. */
  entryOf(chatId) {
    return this.#items.get(chatId);
  }

  #place(elements) {
    const kept = new Set(elements);
    for (const child of [...this.element.children]) if (!kept.has(child)) child.remove();
    let there = this.element.firstElementChild;
    for (const element of elements) {
      if (element === there) there = there.nextElementSibling;
      else this.element.insertBefore(element, there);
    }
  }

  #heading(words) {
    const made = this.#headings.get(words) ?? h("li", { class: "shelf" }, h("h2", {}, words));
    this.#headings.set(words, made);
    return made;
  }

  #entry(chat, isCurrent, isRunning) {
    const item = this.#items.get(chat.id) ?? this.#make(chat.id);
    const title = chat.title || gettext("Untitled chat");
    if (item.shown !== title) {
      item.shown = item.title.textContent = item.link.title = title;
      item.more.setAttribute("aria-label", `${gettext("More")}: ${title}`);
    }
    if (item.dot.hidden === isRunning) item.dot.hidden = !isRunning;
    if (item.isCurrent !== isCurrent) {
      item.isCurrent = isCurrent;
      if (isCurrent) item.link.setAttribute("aria-current", "page");
      else item.link.removeAttribute("aria-current");
    }
    return item.element;
  }

  #make(chatId) {
    const title = h("span", { class: "title", dir: "auto" });
    const answering = gettext("Answering");
    const dot = h("span", { class: "dot", title: answering, hidden: true });
    dot.append(h("span", { class: "visually-hidden" }, ` (${answering})`));
    const link = h("a", { href: this.addressOf(chatId) }, title, dot);
    const more = h("button", { type: "button", class: "quiet more", "aria-haspopup": "menu" }, icon("more"));
    const element = h("li", { "data-chat": chatId }, link, more);
    const item = { element, link, title, dot, more, shown: null, isCurrent: false };
    this.#items.set(chatId, item);
    return item;
  }
}
