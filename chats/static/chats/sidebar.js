/**
 * The chat list: newest first under dates, pinned ones before, with a dot where an answer is being made. Follows
 * `chat` and `run` frames; reads further down as the reader scrolls.
 */
import { ChatList } from "wb/chatlist";
import { Flush } from "wb/flush";
import { gettext } from "wb/words";

const ENDED = new Set(["completed", "cancelled", "error"]);

/** Pinned first, then by the last message. */
function inOrder(one, other) {
  if (Boolean(one.pinned) !== Boolean(other.pinned)) return one.pinned ? -1 : 1;
  return one.last_message_at < other.last_message_at ? 1 : -1;
}

export class Sidebar {
  #chats = new Map(); // id → chat object, of the shelf that is shown
  #running = new Map(); // chat id → Set of response ids
  #flush = new Flush(() => this.#draw());
  #current = null;
  #next = null; // where the list goes on, once it has been read
  #isReading = false;
  #status = "active"; // or archived
  #hidden = new Set(); // about to be deleted
  #hearings = 0;
  #heardAt = new Map(); // chat id → which hearing told of it last

  /**
   * @param {object} elements `list`, `empty`, `end` (what is near the end when it comes into sight), `archived` (button)
   * @param {object} doings `api`; `addressOf(id)`; `onOpen(id)`; `onTrouble(error)`; `actionsFor(chat)` gives the
   *   menu's entries; `onChanged(chat)` hears of changes that were made here; `features`
   */
  constructor({ list, empty, end, archived }, doings) {
    Object.assign(this, { empty, end, archived }, doings);
    this.list = new ChatList(list, {
      addressOf: doings.addressOf,
      onOpen: doings.onOpen,
      onMenu: (chatId, button) => this.#openMenu(chatId, button),
    });
    new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && this.#readOn(), {
      root: list.closest("nav"),
      rootMargin: "600px",
    }).observe(end);
    archived.addEventListener("click", () => this.#turn());
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
    this.list.entryOf(chatId)?.element.scrollIntoView({ block: "nearest" });
  }

  /** The chat before (-1) or after (1) the open one in the list. */
  neighbour(step) {
    const ids = this.#sorted().map((chat) => chat.id);
    const at = ids.indexOf(this.#current);
    return ids[at === -1 ? 0 : at + step];
  }

  /** Hides a chat that is about to be deleted, or shows it again. */
  hide(chatId, hidden) {
    if (hidden) this.#hidden.add(chatId);
    else this.#hidden.delete(chatId);
    this.#draw();
  }

  isRunning(chatId) {
    return Boolean(this.#running.get(chatId)?.size);
  }

  /** What `hello` says is running, and nothing else is. */
  hearHello(running) {
    this.#running.clear();
    for (const { chat_id, response_id } of running) this.#mark(chat_id, response_id, true);
    this.#flush.request();
    return this.sync();
  }

  hearRun({ chat_id, response_id, status }) {
    this.#mark(chat_id, response_id, !ENDED.has(status));
    this.#flush.request();
  }

  hearChat(change, chat) {
    this.#heardAt.set(chat.id, ++this.#hearings);
    if (change === "deleted" || chat.status !== this.#status) this.#chats.delete(chat.id);
    else this.#chats.set(chat.id, chat);
    this.#flush.request();
  }

  /** Reads the list's first page: what's missing from its stretch of time is gone. */
  async sync() {
    const status = this.#status;
    const before = this.#hearings;
    try {
      const [{ results: pinned }, { results, next }] = await Promise.all([
        this.api.pinnedChats(status),
        this.api.chats({ status }),
      ]);
      if (status === this.#status) this.#takeFirst(results, pinned, next, before);
    } catch (error) {
      this.onTrouble(error);
    }
  }

  /** `before`: the last hearing when this was asked for; what was heard since is newer than what was read. */
  #takeFirst(results, pinned, next, before) {
    const isNewer = (id) => this.#heardAt.get(id) > before;
    const last = results.at(-1)?.last_message_at ?? "";
    const listed = new Set([...results, ...pinned].map((chat) => chat.id));
    for (const chat of [...this.#chats.values()]) {
      const isCovered = next === null || chat.last_message_at > last || chat.pinned;
      if (isCovered && !listed.has(chat.id) && !isNewer(chat.id)) this.#chats.delete(chat.id);
    }
    for (const chat of [...results, ...pinned]) if (!isNewer(chat.id)) this.#take(chat);
    if (this.#chats.size <= listed.size || this.#next === null) this.#next = next;
    this.#draw();
    this.#readOnIfNear();
  }

  async #readOn() {
    if (this.#isReading || this.#next === null) return;
    this.#isReading = true;
    const status = this.#status;
    try {
      const { results, next } = await this.api.chats({ next: this.#next });
      if (status !== this.#status) return;
      this.#next = next;
      for (const chat of results) this.#take(chat);
      this.#draw();
    } catch (error) {
      this.onTrouble(error);
      return; // the next hello, or scrolling there again, tries again
    } finally {
      this.#isReading = false;
    }
    this.#readOnIfNear();
  }

  /** The observer speaks only when something comes into sight, not while it stays there; a hidden end is nowhere. */
  #readOnIfNear() {
    if (!this.end.checkVisibility()) return;
    const { top } = this.end.getBoundingClientRect();
    if (top < window.innerHeight) this.#readOn();
  }

  /** Shows the archived chats instead of the others, and back. */
  #turn() {
    this.#status = this.#status === "active" ? "archived" : "active";
    this.archived.setAttribute("aria-pressed", String(this.#status === "archived"));
    this.#chats.clear();
    this.#next = null;
    this.#draw();
    this.sync();
  }

  async #openMenu(chatId, button) {
    const { showMenu, rename } = await import("wb/chatmenu");
    const chat = this.#chats.get(chatId);
    const change = (changes) => this.#change(chat, changes);
    const renaming = () => rename(this.list.entryOf(chatId), chat.title, (title) => change({ title }));
    showMenu(button, this.actionsFor(chat, { change, rename: renaming }));
  }

  /** Changes a chat, on the page at once. */
  async #change(chat, changes) {
    const changed = { ...chat, ...changes };
    this.hearChat("updated", changed);
    this.onChanged(changed);
    try {
      await this.api.changeChat(chat.id, changes);
    } catch (error) {
      this.hearChat("updated", chat);
      this.onChanged(chat);
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

  #sorted() {
    return [...this.#chats.values()].filter((chat) => !this.#hidden.has(chat.id)).sort(inOrder);
  }

  #draw() {
    const chats = this.#sorted();
    const isRunning = (id) => this.isRunning(id);
    this.list.show(chats, { current: this.#current, isRunning, grouped: true });
    const isArchive = this.#status === "archived";
    this.empty.hidden = chats.length > 0;
    this.empty.textContent = isArchive ? gettext("No chat is archived.") : gettext("Your chats will be listed here.");
  }
}
