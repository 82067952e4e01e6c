/**
 * The chat page: makes its pieces and passes frames between them.
 */
import { Addresses } from "wb/addresses";
import { Api, Refused, SignedOut, Unreachable } from "wb/api";
import { Banner } from "wb/banner";
import { Choices } from "wb/choices";
import { Composer } from "wb/composer";
import { h, pageData } from "wb/dom";
import { Library } from "wb/library";
import { Outbox } from "wb/outbox";
import { PageKeys } from "wb/pagekeys";
import { Queue } from "wb/queue";
import { Follower } from "wb/scroll";
import { Connection } from "wb/socket";
import { Thread } from "wb/thread";
import { Toasts } from "wb/toasts";
import { Welcome } from "wb/welcome";
import { gettext } from "wb/words";

const data = pageData("page-data");
const byId = (id) => document.getElementById(id);
/** The frames that a method is named after. */
const HEARD = new Set(["hello", "started", "events", "run", "chat", "error"]);
const NEW = /^new /; // the place of a start in a chat that has no id yet

class Page {
  #stopping = false;
  #isOpen = false; // the chat's thread, box and queue are all in place
  #opening = 0; // counts readings of chats to be opened
  #newChats = 0; // which of the tab's new chats this is

  constructor() {
    const { features, urls, user_id: userId } = data;
    const addresses = new Addresses(urls);
    const onTrouble = (error) => this.#trouble(error);
    this.addresses = addresses;
    this.api = new Api(urls.api, (chatId) => addresses.state(chatId));
    this.connection = new Connection(addresses.socket, {
      onState: (state, pause) => this.#connectionIs(state, pause),
      onFrame: (frame) => HEARD.has(frame.type) && this[frame.type](frame),
    });
    this.send = (frame) => this.connection.send(frame);
    this.outbox = new Outbox(userId, this.send);
    this.follower = new Follower(byId("scroller"), byId("thread"), byId("to-end"));
    this.banner = new Banner(byId("banner"), {
      loginUrl: () => addresses.login,
      onRetry: () => this.connection.wake(),
    });
    const toasts = (this.toasts = new Toasts(byId("toasts")));
    this.library = new Library({
      onTrouble,
      go: (chatId) => this.go(chatId),
      isOpen: (chatId) => chatId === this.#chatId,
      onChanged: (chat) => chat.id === this.#chatId && this.#showTitle(chat.title),
    }, { api: this.api, addresses, toasts, features });
    this.#makeComposer(onTrouble);
    this.#makeThread(onTrouble);
    this.keys = new PageKeys(this);
  }

  #makeComposer(onTrouble) {
    const form = byId("composer");
    const { api, toasts } = this;
    this.welcome = new Welcome(byId("welcome"), { onPick: (text) => this.composer.fill(text) });
    const offered = { ...data, defaultModel: data.default_model };
    this.choices = new Choices(form, offered, { onChange: () => this.#chosen(), api, onTrouble });
    this.queue = new Queue(byId("queue"), {
      onEdit: ({ text, files }) => this.composer.takeBack(text, files),
      onRemove: ({ files = [] }) => files.forEach(({ file_id: id }) => api.discardFile(id).catch(onTrouble)),
      onSendNow: () => this.#sendNext(),
      onEmptied: () => this.composer.focus(),
    });
    for (const sign of ["pointermove", "touchstart", "keydown", "input"]) {
      // Somebody is here: soon there will be messages. If it can't be had now, it's asked for again with the first.
      addEventListener(sign, () => import("wb/threadview").catch(() => {}), { once: true });
    }
    const announce = (text) => this.announce(text);
    this.composer = new Composer(form, { uploads: data.uploads, choices: this.choices, api, toasts, announce, onTrouble }, {
      onSend: (text, files) => this.#say(text, files),
      onStop: () => this.stop(),
      onRecall: () => this.queue.editLast() || this.thread.editLast(),
    });
  }

  #makeThread(onTrouble) {
    const { api, send, follower } = this;
    this.thread = new Thread(byId("thread"), {
      api, send, onTrouble, follower,
      wording: data.wording,
      mayRate: data.features.includes("feedback"),
      announce: (text) => this.announce(text),
      onChange: () => this.#threadChanged(),
      onGone: () => this.#chatIsGone(),
      onAsk: (start) => this.#put({ ...this.#fieldsFor(start.task), ...start }),
    });
  }

  /** What is chosen, as far as it is meant for a handler that is asked again. */
  #fieldsFor(task) {
    const { fields } = this.choices;
    return task === undefined || task === fields.task ? fields : {};
  }

  start() {
    const { chat, chats, messages, tree } = data;
    this.library.load(chats, chat?.id ?? null);
    if (chat) this.thread.load(chat, messages, tree);
    else this.#newChats = Number(this.outbox.places.find((place) => NEW.test(place))?.replace(NEW, "") ?? 0);
    this.#openBox(chat);
    this.keys.listen();
    byId("theme").addEventListener("change", async ({ target }) => (await import("wb/theme")).chooseTheme(target.value));
    window.addEventListener("unhandledrejection", ({ reason }) => isMissingModule(reason) && this.#lacksModule());
    window.addEventListener("popstate", () => this.go(this.addresses.chatIn(location.pathname)));
    this.connection.start();
  }

  announce(text) {
    byId("announcer").textContent = text;
  }

  get #chatId() {
    return this.thread.chat?.id ?? null;
  }

  /** Where a start from here belongs: the chat, or this very new chat. */
  get #place() {
    return this.#chatId ?? `new ${this.#newChats}`;
  }

  /** Of drafts: a new chat's is the same in all of them. */
  #boxKey(chatId) {
    return `${data.user_id}:${chatId ?? "new"}`;
  }

  /** Of what waits, which belongs to this very chat: a new chat's waits for the start that is on its way there. */
  #queueKey(place) {
    return `${data.user_id}:${place}`;
  }

  // From chat to chat

  /** Opens another chat, or a new one (null), in this page. */
  go(chatId) {
    if (chatId === null || chatId !== this.#chatId) return this.#show(chatId);
    this.#opening += 1; // what was about to be opened isn't wanted any more
    this.#showAddress(chatId);
    return this.composer.focus();
  }

  /** The address and the list name the chat that is shown. */
  #showAddress(chatId) {
    const address = this.addresses.chat(chatId);
    if (address !== location.pathname) history.pushState(null, "", address);
    this.library.open(chatId);
  }

  async #show(chatId) {
    const opening = ++this.#opening;
    this.library.open(chatId); // the list answers at once; the address follows when there is something to show
    this.banner.clearNotice();
    try {
      const { chat, messages, tree } = chatId === null ? { chat: null } : await this.api.state(chatId);
      if (opening !== this.#opening) return;
      this.#leave();
      if (chat) this.thread.load(chat, messages, tree);
      this.#showAddress(chatId);
      this.#showTitle(chat?.title);
      this.#openBox(chat);
      this.announce(byId("chat-title").textContent);
    } catch (error) {
      if (opening !== this.#opening) return;
      const hasFailed = error instanceof Refused && error.status >= 500;
      if (!(error instanceof Unreachable || hasFailed)) return location.assign(this.addresses.chat(chatId)); // it says what is wrong
      this.#showAddress(this.#chatId);
      if (hasFailed) this.#tellFailure(error, () => this.go(chatId));
      else this.banner.tell(gettext("This chat can’t be read without a connection."));
    }
  }

  #leave() {
    this.#isOpen = this.#stopping = false;
    this.#newChats += 1;
    this.thread.leave();
  }

  /** The box, the queue and the choices of a chat; what is on its way in it is shown again. */
  #openBox(chat) {
    this.queue.open(this.#queueKey(this.#place));
    this.choices.open(chat);
    this.#chosen();
    this.composer.open(this.#boxKey(this.#chatId));
    const waiting = this.outbox.at(this.#place);
    if (waiting) this.thread.showSending(waiting.text, waiting.frame.parent_id ?? null, waiting.files);
    this.#isOpen = true;
    this.#threadChanged();
    this.follower.toEnd();
  }

  #chosen() {
    this.welcome.describe(this.choices.handler);
    this.composer.choiceChanged();
  }

  // What the reader does

  /** Sends what was written, or has it wait for the answer that is being made. */
  #say(text, files) {
    const { fields } = this.choices;
    if (this.isBusy) this.queue.add({ text, files, fields });
    else this.#put({ text, files, ...fields });
  }

  #sendNext() {
    const next = this.queue.take();
    if (next) this.#put({ text: next.text, files: next.files, ...next.fields });
  }

  #put(start) {
    const parentId = "parent_id" in start ? start.parent_id : this.thread.leaf;
    const branch = this.#chatId === null ? {} : { parent_id: parentId };
    this.#stopping = false;
    this.banner.clearNotice();
    if (!this.outbox.put({ ...start, ...branch, chatId: this.#chatId, place: this.#place })) {
      this.composer.giveBack(start.text, start.files);
      this.banner.tell(gettext("This message is too long to be sent. Shorten it, or send it in pieces."));
      return;
    }
    this.queue.hold(false);
    this.thread.showSending(start.text, parentId, start.files);
    this.#threadChanged();
  }

  /** Whether an answer is being made or asked for here. */
  get isBusy() {
    return this.thread.running !== null || this.outbox.at(this.#place) !== undefined;
  }

  stop() {
    this.outbox.stop(this.#place);
    this.#stopping = true;
    this.#sendCancel();
  }

  /** Also after a reconnect: a cancel that got lost is asked for again until the end is here. */
  #sendCancel() {
    const answer = this.thread.running;
    if (this.#stopping && answer) this.send({ type: "cancel", response_id: answer.id });
  }

  // What the server says

  hello({ user_id: userId, running }) {
    if (userId !== data.user_id) return this.connection.stop("another-user");
    this.outbox.resend();
    this.library.hearHello(running);
    this.thread.resume();
    this.#sendCancel();
    return undefined;
  }

  started(frame) {
    const isHere = this.outbox.at(this.#place)?.frame.request_id === frame.request_id;
    const sent = this.outbox.settle(frame.request_id);
    if (sent === null) return;
    if (sent.stop) this.send({ type: "cancel", response_id: frame.response_id });
    if (!isHere) {
      if (NEW.test(sent.place)) this.queue.rename(this.#queueKey(sent.place), this.#queueKey(frame.chat_id));
      // Whoever was quicker to open the new chat from the list follows it already.
      if (frame.chat_id !== this.#chatId) this.send({ type: "unsubscribe", response_id: frame.response_id });
      return;
    }
    if (this.#chatId === null) this.#openNew(frame.chat_id);
    const { task, model_id: model = data.default_model, parent_id: parentId = null } = sent.frame;
    this.thread.begin(frame, { text: sent.text, files: sent.files, task, model, parentId });
    this.#keepChoices();
  }

  #openNew(chatId) {
    // Unless the reader has gone back or forward, and that chat is about to be shown.
    const isNamed = this.addresses.chatIn(location.pathname) !== null;
    if (!isNamed) history.replaceState(null, "", this.addresses.chat(chatId));
    const chat = this.library.find(chatId); // told of before the start was answered, as a rule
    this.thread.chat = chat ?? { id: chatId, active_leaf: null };
    if (chat) this.#showTitle(chat.title);
    this.library.open(chatId);
    this.composer.move(this.#boxKey(chatId));
    this.queue.move(this.#queueKey(chatId));
  }

  #keepChoices() {
    const metadata = this.choices.takeUnsaved();
    if (metadata) this.api.changeChat(this.#chatId, { metadata }).catch((error) => this.#trouble(error));
  }

  events(frame) {
    this.thread.takeEvents(frame);
  }

  run(frame) {
    this.library.hearRun(frame);
    const isHere = frame.chat_id === this.#chatId;
    if (isHere && !this.outbox.at(this.#place)) this.thread.hearRun(frame);
  }

  chat({ change, chat }) {
    this.library.hearChat(change, chat);
    if (chat.id !== this.#chatId) return;
    if (change === "deleted") return this.#chatIsGone();
    this.#showTitle(chat.title);
    if (!this.outbox.at(this.#place)) this.thread.hearChat(chat);
    return undefined;
  }

  /** A refusal: refusals.js gives back what was written, asks again, or tells it. */
  async error(frame) {
    const { refused } = await import("wb/refusals");
    const onSettled = () => this.#threadChanged();
    refused(frame, this, { place: this.#place, chatId: this.#chatId, user: this.#queueKey(""), onSettled });
  }

  #connectionIs(state, pause) {
    document.documentElement.dataset.conn = state;
    this.banner.show(state, pause);
    if (state === "another-user") this.composer.close();
  }

  // What follows

  #threadChanged() {
    if (!this.#isOpen) return;
    const busy = this.isBusy;
    if (!busy) this.#stopping = false;
    this.composer.setBusy(busy);
    this.welcome.show(this.thread.messages.length === 0 && !busy);
    if (busy || this.queue.isEmpty) return;
    // After a failure, or a stop, the reader has the word: the next message may make no sense any more.
    if (["cancelled", "error"].includes(this.thread.outcome)) this.queue.hold(true);
    if (!this.queue.isHeld) this.#sendNext();
  }

  #showTitle(title) {
    const shown = title || (this.#chatId === null ? gettext("New chat") : gettext("Untitled chat"));
    byId("chat-title").textContent = shown;
    document.title = `${shown} · Chat Workbench`;
  }

  #chatIsGone() {
    this.composer.close();
    const fresh = h("a", { href: this.addresses.home }, gettext("Start a new one"));
    this.banner.tell(`${gettext("This chat was deleted.")} `, fresh);
  }

  /** A module that can't be had: without a connection no news; else the site has been renewed since. */
  #lacksModule() {
    if (this.connection.isOpen) this.banner.tell(`${gettext("Some of this page may be out of date.")} `, reloadLink());
  }

  /** The server failed: it may not, if asked again. */
  #tellFailure({ words }, askAgain) {
    const again = againButton(() => {
      this.banner.clearNotice();
      askAgain();
    });
    this.banner.tell(`${words || gettext("The server couldn’t do that.")} `, again);
  }

  #trouble(error) {
    if (error instanceof SignedOut) this.connection.stop("signed-out");
    else if (error instanceof Refused && error.status < 500) this.banner.tell(error.words || gettext("The server refused that."));
    else if (error instanceof Refused) this.#tellFailure(error, () => this.connection.renew());
    else if (isMissingModule(error)) this.#lacksModule();
    else if (!(error instanceof Unreachable)) throw error; // the socket finds that out too, and reads again
  }
}

function againButton(onPress) {
  const button = h("button", { type: "button", class: "quiet" }, gettext("Try again"));
  button.addEventListener("click", onPress);
  return button;
}

/** What a failed import() gives; each browser has its own words. */
function isMissingModule(error) {
  return error instanceof TypeError && /\bmodule\b/i.test(error.message);
}

function reloadLink() {
  const link = h("a", { href: location.href }, gettext("Reload it"));
  link.addEventListener("click", () => location.reload());
  return link;
}

new Page().start();
