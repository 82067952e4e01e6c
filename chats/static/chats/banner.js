/**
 * What the reader has to know about the connection, in one place above the composer. Quiet while all is well.
 */
import { h } from "wb/dom";
import { gettext, interpolate } from "wb/words";

const GRACE = 1500; // ms: a connection that's back by then isn't worth a word
const BACK = 2500; // ms that "connected again" stays
const SECOND = 1000;

export class Banner {
  #element;
  #saying = null; // timer of what is to be said, or to go
  #counting = null;
  #nextAttempt = 0;

  /** @param {HTMLElement} element @param {{loginUrl: () => string, onRetry: () => void}} doings */
  constructor(element, { loginUrl, onRetry }) {
    this.#element = element;
    this.loginUrl = loginUrl;
    this.onRetry = onRetry;
  }

  /** Takes the connection's state (socket.js) and the ms until its next attempt. */
  show(state, pause = 0) {
    clearInterval(this.#counting);
    this.#nextAttempt = Date.now() + pause;
    const { kind } = this.#element.dataset;
    if (state === "open") return this.#isOpen(kind);
    if (state === "connecting") return this.#connecting(kind);
    const [newKind, ...words] = this.#words(state);
    return this.#say(newKind, ...words);
  }

  /** Something that isn't the connection's: a refused send, a chat that is gone. Stays until the next. */
  tell(...words) {
    this.#say("notice", ...words);
  }

  clearNotice() {
    if (this.#element.dataset.kind === "notice") this.#say("");
  }

  /** Back after a loss that was told: that is told too, shortly. */
  #isOpen(kind) {
    if (kind === "notice") return undefined;
    if (kind !== "waiting" || this.#element.hidden) return this.#say("");
    this.#say("back", gettext("Connected again."));
    this.#saying = setTimeout(() => this.#say(""), BACK);
    return undefined;
  }

  /** The first connecting is told when it takes long; after a loss the words for the wait nearly hold. */
  #connecting(kind) {
    const count = this.#element.querySelector(".count");
    if (count) count.textContent = gettext("Trying now…");
    else if (kind !== "waiting" && kind !== "notice") this.#say("waiting", gettext("Connecting…"));
  }

  #words(state) {
    if (state === "signed-out") {
      const kept = gettext("You’re signed out. What you’ve written is kept.");
      return ["final", `${kept} `, this.#link(this.loginUrl(), gettext("Sign in again"))];
    }
    if (state === "refused") {
      return ["final", gettext("This address isn’t allowed to connect. Ask your administrator.")];
    }
    if (state === "another-user") {
      const who = gettext("Somebody else is signed in here now.");
      return ["final", `${who} `, this.#link(location.href, gettext("Open their chats"))];
    }
    const lost = navigator.onLine ? gettext("The connection is lost.") : gettext("You’re offline.");
    const full = gettext("Too many tabs are open. Close one, and this one goes on by itself.");
    return ["waiting", `${state === "full" ? full : lost} `, this.#countdown(), this.#button(gettext("Try now"))];
  }

  /** Seconds are for the eyes: a screen reader would say each of them. */
  #countdown() {
    const count = h("span", { class: "count", "aria-hidden": "true" });
    const tick = () => {
      const seconds = Math.max(1, Math.ceil((this.#nextAttempt - Date.now()) / SECOND));
      count.textContent = interpolate(gettext("Trying again in %(seconds)s s…"), { seconds });
    };
    tick();
    this.#counting = setInterval(tick, SECOND);
    return count;
  }

  #link(href, text) {
    const link = h("a", { href }, text);
    if (href === location.href) link.addEventListener("click", () => location.reload());
    return link;
  }

  #button(text) {
    const button = h("button", { type: "button", class: "quiet" }, text);
    button.addEventListener("click", () => this.onRetry());
    return button;
  }

  #say(kind, ...words) {
    clearTimeout(this.#saying);
    const say = () => {
      this.#element.hidden = kind === "";
      this.#element.replaceChildren(...words);
    };
    this.#element.dataset.kind = kind;
    if (kind === "waiting" && this.#element.hidden) this.#saying = setTimeout(say, GRACE);
    else say();
  }
}
