/**
 * The chat page: makes its pieces and passes frames between them.
 */
import { Api, Refused, SignedOut, Unreachable } from "wb/api";
import { Banner } from "wb/banner";
import { Composer, giveBackTo } from "wb/composer";
import { h, pageData } from "wb/dom";
import { Outbox } from "wb/outbox";
import { Follower } from "wb/scroll";
import { Sidebar } from "wb/sidebar";
import { Connection } from "wb/socket";
import { Thread } from "wb/thread";

const data = pageData("page-data");
const byId = (id) => document.getElementById(id);

class Page {
  #stopping = false;

  constructor() {
    const { urls, wording, user_id: userId } = data;
    const api = new Api(urls.api);
    const onTrouble = (error) => this.#trouble(error);
    this.connection = new Connection(socketAddress(urls.socket), {
      onState: (state) => this.#connectionIs(state),
      onFrame: (frame) => this.#hear(frame),
    });
    const send = (frame) => this.connection.send(frame);
    this.send = send;
    this.outbox = new Outbox(userId, send);
    this.follower = new Follower(byId("scroller"), byId("thread"), byId("to-end"));
    this.banner = new Banner(byId("banner"), {
      loginUrl: () => `${urls.login}?next=${encodeURIComponent(location.pathname)}`,
      onRetry: () => this.connection.wake(),
    });
    this.sidebar = new Sidebar(
      { list: byId("chat-list"), empty: byId("no-chats"), more: byId("more-chats") },
      { api, addressOf, onTrouble },
    );
    this.composer = new Composer(byId("composer"), {
      onSend: (text, task) => this.#put({ text, task }),
      onStop: () => this.#stop(),
    });
    this.thread = new Thread(byId("thread"), {
      api, send, wording, onTrouble,
      follower: this.follower,
      announce: (text) => (byId("announcer").textContent = text),
      onChange: () => this.#threadChanged(),
      onRetry: (response) => this.#put({ text: null, task: response.task, parent_id: response.parent_id }),
    });
  }

  start() {
    const { chat, chats, messages } = data;
    this.sidebar.load(chats, chat?.id ?? null);
    if (chat) this.thread.load(chat, messages);
    this.composer.open(this.#draftKey(chat?.id ?? null));
    const waiting = this.outbox.waiting;
    if (waiting && this.#isHere(waiting.chatId)) this.thread.showSending(waiting.text, waiting.frame.parent_id);
    this.#threadChanged();
    this.follower.toEnd();
    this.connection.start();
  }

  get #chatId() {
    return this.thread.chat?.id ?? null;
  }

  #draftKey(chatId) {
    return `${data.user_id}:${chatId ?? "new"}`;
  }

  #isHere(chatId) {
    return chatId === this.#chatId;
  }

  // What the reader does

  #put(start) {
    const parent = start.parent_id ?? this.thread.leaf;
    const place = this.#chatId === null ? {} : { parent_id: parent };
    this.#stopping = false;
    this.banner.clearNotice();
    if (!this.outbox.put({ ...start, chatId: this.#chatId, ...place })) {
      this.composer.giveBack(start.text);
      this.banner.tell("This message is too long to be sent. Shorten it, or send it in pieces.");
      return;
    }
    this.thread.showSending(start.text, parent);
    this.#threadChanged();
  }

  #stop() {
    if (this.outbox.waiting) this.outbox.stop();
    this.#stopping = true;
    this.#sendCancel();
  }

  /** Also after a reconnect: a cancel that got lost is asked for again until the end is here. */
  #sendCancel() {
    const answer = this.thread.running;
    if (this.#stopping && answer) this.send({ type: "cancel", response_id: answer.id });
  }

  // What the server says

  #hear(frame) {
    HEARD.get(frame.type)?.(this, frame);
  }

  hello({ user_id: userId, running }) {
    if (userId !== data.user_id) return this.connection.stop("another-user");
    this.outbox.resend();
    this.sidebar.hearHello(running);
    this.thread.resume();
    this.#sendCancel();
    return undefined;
  }

  started(frame) {
    const sent = this.outbox.settle(frame.request_id);
    if (sent === null) return;
    if (sent.stop) this.send({ type: "cancel", response_id: frame.response_id });
    if (!this.#isHere(sent.chatId)) return;
    if (this.#chatId === null) this.#openNew(frame.chat_id);
    this.thread.begin(frame, { text: sent.text, task: sent.frame.task, model: this.composer.model });
  }

  #openNew(chatId) {
    history.replaceState(null, "", addressOf(chatId));
    const chat = this.sidebar.find(chatId); // told of before the start was answered, as a rule
    this.thread.chat = chat ?? { id: chatId, active_leaf: null };
    if (chat) this.#showTitle(chat.title);
    this.sidebar.open(chatId);
    this.composer.open(this.#draftKey(chatId));
  }

  run(frame) {
    this.sidebar.hearRun(frame);
    if (this.#isHere(frame.chat_id) && this.outbox.waiting === null) this.thread.hearRun(frame);
  }

  chat({ change, chat }) {
    this.sidebar.hearChat(change, chat);
    if (!this.#isHere(chat.id)) return;
    if (change === "deleted") return this.#chatIsGone();
    this.#showTitle(chat.title);
    if (this.outbox.waiting === null) this.thread.hearChat(chat);
    return undefined;
  }

  /** A refused start gives its text back, unless the server is only restarting; other errors need to be known. */
  error({ code, message, request_id: requestId, retry_after: retryAfter }) {
    if (code === "unavailable" && this.outbox.isWaitingFor(requestId)) {
      setTimeout(() => this.outbox.resend(), 1000 * (retryAfter ?? 1));
      return;
    }
    const sent = this.outbox.settle(requestId);
    if (sent !== null) this.#refused(sent);
    if (code === "not_found" && sent === null) return; // a response that was followed is gone; REST says so too
    const later = retryAfter ? ` Try again in ${Math.ceil(retryAfter)} s.` : "";
    this.banner.tell(`${message}${later}`);
  }

  #refused(sent) {
    if (!this.#isHere(sent.chatId)) {
      if (sent.text !== null) giveBackTo(this.#draftKey(sent.chatId), sent.text);
      return;
    }
    this.thread.showUnsent();
    if (sent.text !== null) this.composer.giveBack(sent.text);
    this.thread.sync();
    this.#threadChanged();
  }

  #connectionIs(state) {
    document.documentElement.dataset.conn = state;
    this.banner.show(state);
    if (state === "another-user") this.composer.close();
  }

  // What follows

  #threadChanged() {
    const waiting = this.outbox.waiting;
    const busy = this.thread.running !== null || (waiting !== null && this.#isHere(waiting.chatId));
    if (!busy) this.#stopping = false;
    this.composer.setBusy(busy);
    byId("welcome").hidden = this.thread.messages.length > 0 || busy;
  }

  #showTitle(title) {
    byId("chat-title").textContent = title || "Untitled chat";
    document.title = `${title || "Untitled chat"} · Chat Workbench`;
  }

  #chatIsGone() {
    this.composer.close();
    this.banner.tell("This chat was deleted. ", h("a", { href: data.urls.home }, "Start a new one"));
  }

  #trouble(error) {
    if (error instanceof SignedOut) this.connection.stop("signed-out");
    else if (error instanceof Refused && error.status === 404) this.#chatIsGone();
    else if (error instanceof Refused) this.banner.tell("Some of this page may be out of date. ", reloadLink());
    else if (!(error instanceof Unreachable)) throw error; // the socket finds that out too, and reads again
  }
}

const HEARD = new Map([
  ["hello", (page, frame) => page.hello(frame)],
  ["started", (page, frame) => page.started(frame)],
  ["events", (page, frame) => page.thread.takeEvents(frame)],
  ["run", (page, frame) => page.run(frame)],
  ["chat", (page, frame) => page.chat(frame)],
  ["error", (page, frame) => page.error(frame)],
]);

function addressOf(chatId) {
  return data.urls.chat.replace("{id}", chatId);
}

function socketAddress(path) {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}

function reloadLink() {
  const link = h("a", { href: location.href }, "Reload it");
  link.addEventListener("click", () => location.reload());
  return link;
}

new Page().start();
