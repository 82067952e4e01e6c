/**
 * The messages of the open chat's active branch: what is stored, what is being answered, what is being sent.
 *
 * Owns the answers that are followed and the branch on the page. Frames come from page.js; what it can't know
 * from frames it reads from REST. Nothing here sends a start: that is the outbox's.
 */
import { Answer, isUnfinished } from "wb/answer";
import { Flush } from "wb/flush";
import { MessageView } from "wb/message";

const OUTCOMES = {
  completed: "The answer is complete.",
  cancelled: "The answer was stopped.",
  error: "The answer failed.",
};

export class Thread {
  chat = null;
  messages = [];
  #answers = new Map(); // response id → Answer, for as long as the page lives
  #views = new Map(); // message id → MessageView
  #sending = null; // the request that the server hasn't accepted yet
  #flush = new Flush(() => this.#draw());
  #readings = 0; // counts what is newer than a reading of REST that is under way

  /**
   * `send(frame)` sends or drops; `announce(text)` speaks to screen readers; `onChange()` hears of every change
   * that may concern the composer; `onRetry(response)` asks for another answer; `onTrouble(error)` gets what
   * kept REST from being read.
   */
  constructor(element, { api, send, announce, follower, wording, onChange, onRetry, onTrouble }) {
    Object.assign(this, { element, api, send, announce, follower, wording, onChange, onRetry, onTrouble });
  }

  /** Shows a chat's branch as the page or REST gives it. */
  load(chat, messages) {
    this.chat = chat;
    this.messages = messages;
    for (const message of messages) this.#reconcile(message);
    this.#flush.request();
    this.onChange();
  }

  /** The response in progress on this branch, if any. */
  get running() {
    const last = this.messages.at(-1);
    const answer = last && this.#answers.get(last.id);
    return answer && !answer.ended ? answer : null;
  }

  /** What a new message answers: the last response, or null in a chat that has none. */
  get leaf() {
    return this.messages.findLast((message) => message.kind === "response")?.id ?? null;
  }

  // Sending

  /** Shows what is being sent, before anybody has accepted it. `text` is null for one more answer. */
  showSending(text, parentId) {
    if (text === null) this.messages = this.#upTo(parentId);
    const parts = [{ kind: "text", content: text ?? "" }];
    this.#sending = text === null ? null : { id: "sending", kind: "request", parts, status: "completed", unsent: true };
    this.#flush.request();
    this.follower.toEnd();
  }

  showUnsent() {
    this.#sending = null;
    this.#flush.request();
  }

  /** The server has accepted a start in this chat: the request and its answer take their ids. */
  begin({ chat_id, message_id, response_id }, { text, task, model }) {
    this.#sending = null;
    this.#readings += 1;
    const fresh = { chat_id, errors: [], metadata: {}, usage: {}, finished_at: null };
    const made = { task, model_id: model };
    const parts = [{ kind: "text", content: text ?? "" }];
    if (!this.#has(message_id)) {
      const parent_id = this.leaf;
      this.messages.push({ ...fresh, ...made, id: message_id, parent_id, kind: "request", status: "completed", parts });
    }
    if (!this.#has(response_id)) {
      const response = { id: response_id, parent_id: message_id, kind: "response", status: "running", sequence: -1 };
      this.messages = [...this.#upTo(message_id), { ...fresh, ...made, ...response, parts: [] }];
    }
    this.#reconcile(this.messages.at(-1), { subscribed: true });
    if (this.running) this.announce("The answer has started.");
    this.#flush.request();
    this.onChange();
  }

  // Frames

  /** Takes an `events` frame of whatever response. */
  takeEvents(frame) {
    const answer = this.#answers.get(frame.response_id);
    if (answer === undefined || answer.ended) return;
    if (answer.take(frame)) this.send(answer.subscribe());
    if (answer.ended) {
      this.announce(OUTCOMES[answer.message.status] ?? "The answer has ended.");
      this.onChange();
    }
    this.#flush.request();
  }

  /** The socket is (again) open: goes on where each answer stands, and looks for what was missed. */
  resume() {
    for (const answer of this.#answers.values()) if (!answer.ended) this.send(answer.subscribe());
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

  /** Reads the chat, and its branch if that isn't the one shown. */
  async sync() {
    if (this.chat === null) return;
    const reading = ++this.#readings;
    try {
      const chat = await this.api.chat(this.chat.id);
      if (reading !== this.#readings) return;
      const known = chat.active_leaf === null || chat.active_leaf === this.messages.at(-1)?.id;
      const messages = known ? this.messages : await this.api.branch(chat.id, chat.active_leaf);
      if (reading === this.#readings) this.load(chat, messages);
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
    const shown = this.messages.map((message) => this.#answers.get(message.id)?.message ?? message);
    if (this.#sending) shown.push(this.#sending);
    const elements = shown.map((message, index) => this.#show(message, index === shown.length - 1));
    const kept = new Set(elements);
    for (const child of [...this.element.children]) if (!kept.has(child)) child.remove();
    elements.forEach((element, index) => {
      const there = this.element.children[index] ?? null;
      if (there !== element) this.element.insertBefore(element, there);
    });
  }

  #show(message, isLast) {
    let view = this.#views.get(message.id);
    if (view === undefined) {
      view = new MessageView(message, { wording: this.wording, onRetry: this.onRetry });
      this.#views.set(message.id, view);
    }
    view.show(message, { isLast });
    return view.element;
  }
}
