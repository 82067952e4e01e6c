/**
 * The chat list: newest first, with a dot where an answer is being made. Follows `chat` and `run` frames.
 */
import { h } from "wb/dom";

const ENDED = new Set(["completed", "cancelled", "error"]);

export class Sidebar {
  #chats = new Map(); // id → chat object
  #running = new Map(); // chat id → Set of response ids
  #items = new Map(); // id → {element, link, title}
  #current = null;
  #next = null;

  /** `addressOf(id)` gives a chat's page. */
  constructor({ list, empty, more }, { api, addressOf, onTrouble }) {
    Object.assign(this, { list, empty, more, api, addressOf, onTrouble });
    more.addEventListener("click", () => this.#readMore());
  }

  load(chats, currentId) {
    this.#current = currentId;
    for (const chat of chats) this.#take(chat);
    this.#draw();
  }

  find(chatId) {
    return this.#chats.get(chatId);
  }

  open(chatId) {
    this.#current = chatId;
    this.#draw();
  }

  /** What `hello` says is running, and nothing else is. */
  hearHello(running) {
    this.#running.clear();
    for (const { chat_id, response_id } of running) this.#mark(chat_id, response_id, true);
    this.#draw();
    return this.sync();
  }

  hearRun({ chat_id, response_id, status }) {
    this.#mark(chat_id, response_id, !ENDED.has(status));
    this.#draw();
  }

  hearChat(change, chat) {
    if (change === "deleted" || chat.status !== "active") this.#chats.delete(chat.id);
    else this.#chats.set(chat.id, chat);
    this.#draw();
  }

  /** Reads the list's first page: what's missing from its stretch of time is gone. */
  async sync() {
    try {
      const { results, next } = await this.api.chats();
      const last = results.at(-1)?.updated_at ?? "";
      const listed = new Set(results.map((chat) => chat.id));
      for (const { id, updated_at } of [...this.#chats.values()]) {
        if (!listed.has(id) && (next === null || updated_at > last)) this.#chats.delete(id);
      }
      for (const chat of results) this.#take(chat);
      if (this.#chats.size <= results.length) this.#next = next;
      this.#draw();
    } catch (error) {
      this.onTrouble(error);
    }
  }

  async #readMore() {
    try {
      const { results, next } = await this.api.chats(this.#next);
      this.#next = next;
      for (const chat of results) this.#take(chat);
      this.#draw();
    } catch (error) {
      this.onTrouble(error);
    }
  }

  #take(chat) {
    this.#chats.set(chat.id, chat);
    for (const responseId of chat.running) this.#mark(chat.id, responseId, true);
  }

  #mark(chatId, responseId, isRunning) {
    const responses = this.#running.get(chatId) ?? new Set();
    if (isRunning) responses.add(responseId);
    else responses.delete(responseId);
    this.#running.set(chatId, responses);
  }

  #draw() {
    const chats = [...this.#chats.values()].sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
    const elements = chats.map((chat) => this.#show(chat));
    for (const [id, { element }] of this.#items) {
      if (this.#chats.has(id)) continue;
      element.remove();
      this.#items.delete(id);
    }
    for (const child of [...this.list.children]) if (!this.#isMine(child)) child.remove();
    elements.forEach((element, index) => {
      const there = this.list.children[index] ?? null;
      if (there !== element) this.list.insertBefore(element, there);
    });
    this.empty.hidden = chats.length > 0;
    this.more.hidden = this.#next === null;
  }

  #isMine(child) {
    return this.#items.get(child.dataset.chat)?.element === child;
  }

  #show(chat) {
    const item = this.#items.get(chat.id) ?? this.#make(chat);
    const title = chat.title || "Untitled chat";
    if (item.title.textContent !== title) item.title.textContent = title;
    item.dot.hidden = !this.#running.get(chat.id)?.size;
    if (chat.id === this.#current) item.link.setAttribute("aria-current", "page");
    else item.link.removeAttribute("aria-current");
    return item.element;
  }

  #make(chat) {
    const title = h("span", { class: "title", dir: "auto" });
    const dot = h("span", { class: "dot", title: "Answering" }, h("span", { class: "visually-hidden" }, " (answering)"));
    const link = h("a", { href: this.addressOf(chat.id) }, title, dot);
    const item = { element: h("li", { "data-chat": chat.id }, link), link, title, dot };
    this.#items.set(chat.id, item);
    return item;
  }
}
