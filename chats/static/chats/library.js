/**
 * The reader's chats beside the open one: the list, what can be done with each, search, and word of what ended
 * elsewhere.
 */
import { Deletions } from "wb/deletions";
import { h } from "wb/dom";
import { Sidebar } from "wb/sidebar";
import { gettext, interpolate } from "wb/words";

const byId = (id) => document.getElementById(id);
const phone = window.matchMedia("(width < 50rem)");

export class Library {
  #sidebar;
  #deletions;

  /**
   * @param {object} doings `go(chatId)` opens a chat (null: a new one); `isOpen(chatId)`; `onChanged(chat)`: the
   *   reader changed a chat; `onTrouble(error)`
   * @param {{api: object, addresses: object, toasts: object, features: string[]}} parts
   */
  constructor({ go, isOpen, onChanged, onTrouble }, { api, addresses, toasts, features }) {
    Object.assign(this, { go, isOpen, onTrouble, api, addresses, toasts, features });
    this.#deletions = new Deletions({
      api, toasts, onTrouble,
      onChange: (chatId, hidden) => this.#hide(chatId, hidden),
    });
    const elements = { list: byId("chat-list"), empty: byId("no-chats"), end: byId("list-end"), archived: byId("archived") };
    this.#sidebar = new Sidebar(elements, {
      api, onTrouble, onChanged,
      addressOf: (id) => addresses.chat(id),
      onOpen: go,
      actionsFor: (chat, ways) => this.#actionsFor(chat, ways),
    });
    for (const link of document.querySelectorAll("a.new-chat")) this.#opensHere(link, null);
    for (const button of document.querySelectorAll(".fold")) button.addEventListener("click", (event) => this.#fold(event));
    byId("search")?.addEventListener("focus", ({ target }) => this.#startSearch(target), { once: true });
  }

  load(chats, currentId) {
    this.#sidebar.load(chats, currentId);
  }

  find(chatId) {
    return this.#sidebar.find(chatId);
  }

  open(chatId) {
    if (phone.matches) byId("sidebar").hidePopover();
    this.#sidebar.open(chatId);
  }

  /** Goes to the chat before (-1) or after (1) the open one. */
  step(by) {
    const chatId = this.#sidebar.neighbour(by);
    if (chatId !== undefined) this.go(chatId);
  }

  /** Puts the focus into the search box; false where there is none. */
  search() {
    const box = byId("search");
    if (box === null) return false;
    if (phone.matches) byId("sidebar").showPopover();
    else document.documentElement.removeAttribute("data-folded");
    box.focus();
    box.select();
    return true;
  }

  hearHello(running) {
    return this.#sidebar.hearHello(running);
  }

  hearRun(frame) {
    const wasRunning = this.#sidebar.isRunning(frame.chat_id);
    this.#sidebar.hearRun(frame);
    this.finder?.hearRun(frame);
    if (wasRunning && !this.isOpen(frame.chat_id)) this.#tellEnd(frame);
  }

  hearChat(change, chat) {
    this.#sidebar.hearChat(change, chat);
  }

  #tellEnd({ chat_id: chatId, status }) {
    const words = { completed: gettext("Answered: “%(title)s”"), error: gettext("The answer failed: “%(title)s”") }[status];
    if (words === undefined || this.#deletions.has(chatId)) return;
    const title = this.find(chatId)?.title || gettext("Untitled chat");
    const action = h("a", { href: this.addresses.chat(chatId) }, gettext("Open"));
    this.#opensHere(action, chatId);
    this.toasts.show(interpolate(words, { title }), { action });
  }

  #actionsFor(chat, { change, rename }) {
    const isArchived = chat.status === "archived";
    const pinning = chat.pinned ? gettext("Unpin") : gettext("Pin");
    const archiving = isArchived ? gettext("Bring back") : gettext("Archive");
    const actions = [
      { name: "edit", label: gettext("Rename"), onPick: rename },
      { name: "pin", label: pinning, onPick: () => change({ pinned: !chat.pinned }) },
      { name: "archive", label: archiving, onPick: () => change({ status: isArchived ? "active" : "archived" }) },
      this.#offers("export") && { name: "down", label: gettext("Download"), href: this.api.exportOf(chat.id, "markdown") },
      { name: "delete", label: gettext("Delete"), onPick: () => this.#deletions.ask(chat) },
    ];
    return actions.filter(Boolean);
  }

  #offers(feature) {
    return this.features.includes(feature);
  }

  /** A chat that is about to be deleted isn't shown, also where it is open; undone, it is shown again. */
  #hide(chatId, hidden) {
    const wasOpen = this.isOpen(chatId);
    this.#sidebar.hide(chatId, hidden);
    if (hidden && wasOpen) this.go(null);
    else if (!hidden && this.isOpen(null)) this.go(chatId);
  }

  #opensHere(link, chatId) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      this.go(chatId);
    });
  }

  async #fold(event) {
    if (phone.matches) return;
    event.preventDefault(); // the drawer
    const { turnList } = await import("wb/folding");
    turnList();
  }

  async #startSearch(box) {
    const { Search } = await import("wb/search");
    const { api, onTrouble, addresses, go } = this;
    this.finder = new Search({ box, results: byId("search-results"), list: byId("chats") }, { api, onTrouble, addresses, go });
    this.finder.start();
  }
}
