/**
 * The messages of the open chat's active branch: what is stored, what is being answered, what is being sent.
 *
 * Owns the answers that are followed and the branch on the page. Frames come from page.js; what it can't know
 * from frames it reads from REST. Nothing here sends a start: that is the outbox's. How messages look is
 * threadview.js's, which is loaded with the first of them.
 */
import { Answer, isUnfinished } from "wb/answer";
import { Branches } from "wb/branches";
import { Flush } from "wb/flush";
import { gettext } from "wb/words";

const outcomes = () => ({
  completed: gettext("The answer is complete."),
  cancelled: gettext("The answer was stopped."),
  error: gettext("The answer failed."),
});

/** What is asked, as a request's fields. `text` is null for the rest of an answer that was cut off. */
const asked = (text, files = []) => ({
  kind: "request",
  status: "completed",
  metadata: { continues: text === null },
  parts: [...(text === "" ? [] : [{ kind: "text", content: text ?? "" }]), ...files],
});

export class Thread {
  chat = null;
  messages = [];
  #branches = new Branches();
  #answers = new Map(); // response id → Answer, for as long as the chat is open
  #view = null; // once there is something to show
  #isLoading = false;
  #sending = null; // the request that the server hasn't accepted yet
  #flush = new Flush(() => this.#draw());
  #readings = 0; // counts what is newer than a reading of REST that is under way

  /**
   * @param {HTMLElement} element
   * @param {object} parts `send(frame)` sends or drops; `announce(text)` speaks to screen readers; `onChange()`
   *   hears of every change that may concern the composer; `onAsk({text, parent_id, task})` wants another answer
   *   (text null) or an edited question asked; `onTrouble(error)` gets what kept REST from being read;
   *   `onGone()`: the chat isn't there any more; `mayRate`: whether answers can be rated.
   */
  constructor(element, { api, send, announce, follower, wording, mayRate, onChange, onAsk, onGone, onTrouble }) {
    Object.assign(this, { element, api, send, announce, follower, onChange, onAsk, onGone, onTrouble });
    this.viewing = { api, announce, wording, mayRate, onAsk, onTrouble, onGo: (id, direction) => this.#go(id, direction) };
  }

  /** Shows a chat's branch as the page or REST gives it; `tree` has [id, parent's id] of all branches' messages. */
  load(chat, messages, tree = []) {
    this.chat = chat;
    this.messages = messages;
    this.#branches.learn(tree);
    this.#branches.learn(messages.map(({ id, parent_id: parent }) => [id, parent]));
    for (const message of messages) this.#reconcile(message);
    this.#flush.request();
    this.onChange();
  }

  /** Leaves the chat: for another, or for a new one. What is being answered in it goes on without us. */
  leave() {
    for (const answer of this.#answers.values()) {
      if (!answer.ended) this.send({ type: "unsubscribe", response_id: answer.id });
    }
    this.#answers.clear();
    this.#branches = new Branches();
    this.#readings += 1;
    this.chat = this.#sending = null;
    this.messages = [];
    this.#view?.clear();
    this.element.classList.remove("asked");
    this.element.replaceChildren();
  }

  /** The response in progress on this branch, if any. */
  get running() {
    const last = this.messages.at(-1);
    const answer = last && this.#answers.get(last.id);
    return answer && !answer.ended ? answer : null;
  }

  /** How the branch's last answer ended; "" where there is none. */
  get outcome() {
    const last = this.messages.at(-1);
    return last?.kind === "response" ? this.#current(last).status : "";
  }

  /** What a new message answers: the last response, or null in a chat that has none. */
  get leaf() {
    return this.messages.findLast((message) => message.kind === "response")?.id ?? null;
  }

  /** The last question (no continuation) or answer of the branch as it stands. @param {"request" | "response"} kind */
  last(kind) {
    const found = this.messages.findLast((message) => message.kind === kind && !message.metadata?.continues);
    return found && this.#current(found);
  }

  /** Opens the edit box of the last question; false where there is none, or an answer is being made. */
  editLast() {
    const question = this.last("request");
    if (question === undefined || this.running || this.#sending) return false;
    this.#view.edit(question);
    return true;
  }

  // Sending

  /** Shows what is being sent, before anybody has accepted it. `text` is null for one more answer, or the rest of one. */
  showSending(text, parentId, files) {
    this.messages = this.#upTo(parentId);
    const isAgain = text === null && this.messages.at(-1)?.kind === "request";
    this.#sending = isAgain ? null : { ...asked(text, files), id: "sending", errors: [], unsent: true };
    this.element.classList.add("asked");
    this.#flush.request();
    this.follower.toEnd();
  }

  showUnsent() {
    this.#sending = null;
    this.#flush.request();
  }

  /** The server has accepted a start in this chat: the request and its answer take their ids. */
  begin({ chat_id, message_id, response_id }, { text, files, task, model, parentId }) {
    this.#sending = null;
    this.#readings += 1;
    const fresh = { chat_id, errors: [], metadata: {}, usage: {}, feedback: null, finished_at: null };
    const made = { task, model_id: model };
    const isElsewhere = parentId !== null && !this.#has(parentId); // another tab has gone to another branch meanwhile
    if (!this.#has(message_id)) {
      const request = { ...asked(text, files), id: message_id, parent_id: parentId };
      this.messages = [...this.#upTo(parentId), { ...fresh, ...made, ...request }];
    }
    if (!this.#has(response_id)) {
      const response = { id: response_id, parent_id: message_id, kind: "response", status: "running", sequence: -1 };
      this.messages = [...this.#upTo(message_id), { ...fresh, ...made, ...response, parts: [] }];
    }
    this.#branches.learn(this.messages.slice(-2).map(({ id, parent_id: parent }) => [id, parent]));
    this.#reconcile(this.messages.at(-1), { subscribed: true });
    if (this.running) this.announce(gettext("The answer has started."));
    this.#flush.request();
    this.onChange();
    if (isElsewhere) this.sync({ whole: true });
  }

  // Frames

  /** Takes an `events` frame of whatever response. */
  takeEvents(frame) {
    const answer = this.#answers.get(frame.response_id);
    if (answer === undefined || answer.ended) return;
    if (answer.take(frame)) this.send(answer.subscribe());
    if (answer.ended) {
      this.announce(outcomes()[answer.message.status] ?? gettext("The answer has ended."));
      this.onChange();
    }
    this.#flush.request();
  }

  /** The socket is (again) open: goes on where each answer stands, and looks for what was missed. */
  resume() {
    for (const answer of this.#answers.values()) if (!answer.ended) this.send(answer.subscribe());
    this.#flush.request(); // what shows messages couldn't be loaded, perhaps
    return this.sync();
  }

  /** A `run` frame of this chat: news if the response isn't here, or its end hasn't come by its events. */
  hearRun({ response_id }) {
    if (!this.#has(response_id)) this.sync();
  }

  hearChat(chat) {
    const moved = chat.active_leaf !== this.chat?.active_leaf;
    this.chat = chat;
    if (moved && chat.active_leaf !== null && !this.#has(chat.active_leaf)) this.sync();
  }

  /** Reads the chat, and its branch if that isn't the one shown, or isn't shown from its root (`whole`). */
  async sync({ whole = false } = {}) {
    if (this.chat === null) return;
    const reading = ++this.#readings;
    try {
      const chat = await this.api.chat(this.chat.id);
      if (reading !== this.#readings) return;
      const known = chat.active_leaf === null || chat.active_leaf === this.messages.at(-1)?.id;
      const state = known && !whole ? { chat, messages: this.messages } : await this.api.state(chat.id);
      if (reading === this.#readings) this.load(state.chat, state.messages, state.tree);
    } catch (error) {
      if (error.status === 404 && reading === this.#readings) this.onGone();
      else this.onTrouble(error);
    }
  }

  /** Shows the newest branch through another version of a message, and has the chat remember it. */
  async #go(id, direction) {
    const leaf = this.#branches.newestLeaf(id);
    const { id: chatId } = this.chat;
    const reading = ++this.#readings;
    try {
      const messages = await this.api.branch(chatId, leaf);
      if (reading !== this.#readings) return;
      this.follower.letGo();
      this.#view.focusNext(id, direction);
      this.load({ ...this.chat, active_leaf: leaf }, messages);
      await this.api.changeChat(chatId, { active_leaf: leaf });
    } catch (error) {
      this.onTrouble(error);
    }
  }

  // Drawing

  #has(id) {
    return this.messages.some((message) => message.id === id);
  }

  #upTo(id) {
    return this.messages.slice(0, this.messages.findIndex((message) => message.id === id) + 1);
  }

  #current(message) {
    return this.#answers.get(message.id)?.message ?? message;
  }

  /** Follows what is unfinished; what REST says has ended needs no following any more. */
  #reconcile(message, { subscribed = false } = {}) {
    const answer = this.#answers.get(message.id);
    if (!isUnfinished(message)) {
      if (answer && !answer.ended) this.#answers.delete(message.id);
    } else if (answer === undefined) {
      const fresh = new Answer(message);
      this.#answers.set(message.id, fresh);
      if (!subscribed) this.send(fresh.subscribe()); // a start subscribes by itself
    }
  }

  #draw() {
    const shown = this.messages.map((message) => this.#current(message));
    if (this.#sending) shown.push(this.#sending);
    const busy = this.#sending !== null || this.running !== null;
    if (this.#view) {
      this.#view.show(shown, { busy, branches: this.#branches });
      this.follower.follow();
    } else if (shown.length > 0) {
      this.#loadView();
    }
  }

  async #loadView() {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      const { ThreadView, dressed } = await import("wb/threadview");
      await dressed();
      this.#view = new ThreadView(this.element, this.viewing);
      this.#draw();
    } catch (error) {
      this.onTrouble(error);
    } finally {
      this.#isLoading = false;
    }
  }
}
