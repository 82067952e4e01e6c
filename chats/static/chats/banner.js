/**
 * What the reader has to know about the connection, in one place above the composer. Quiet while all is well.
 */
import { h } from "wb/dom";

const GRACE = 1500; // ms: a connection that's back by then isn't worth a word

export class Banner {
  #element;
  #timer = null;
  #state = "";

  constructor(element, { loginUrl, onRetry }) {
    this.#element = element;
    this.loginUrl = loginUrl;
    this.onRetry = onRetry;
  }

  /** Takes the connection's state (socket.js); the page's first connecting is no news. */
  show(state) {
    const before = this.#state;
    this.#state = state;
    if (state === "open") return this.#say(null);
    if (state === "connecting" && (before === "" || before === "open")) return undefined;
    if (state === "connecting") return undefined; // the words for the wait still hold
    const [kind, ...words] = this.#words(state);
    return this.#say(kind, ...words);
  }

  /** Something that isn't the connection's: a refused send, a chat that is gone. Stays until the next. */
  tell(...words) {
    this.#say("notice", ...words);
  }

  clearNotice() {
    if (this.#element.dataset.kind === "notice") this.#say(null);
  }

  #words(state) {
    if (state === "signed-out") {
      return ["final", "You’re signed out. What you’ve written is kept. ", this.#link(this.loginUrl(), "Sign in again")];
    }
    if (state === "refused") return ["final", "This address isn’t allowed to connect. Ask your administrator."];
    if (state === "another-user") {
      return ["final", "Somebody else is signed in here now. ", this.#link(location.href, "Open their chats")];
    }
    const lost = navigator.onLine ? "The connection is lost. Trying again… " : "You’re offline. Trying again… ";
    const full = "Too many tabs are open. Close one, and this one goes on by itself. ";
    return ["waiting", state === "full" ? full : lost, this.#button("Try now")];
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
    clearTimeout(this.#timer);
    const say = () => {
      this.#element.hidden = kind === null;
      this.#element.dataset.kind = kind ?? "";
      this.#element.replaceChildren(...words);
    };
    if (kind === "waiting" && this.#element.hidden) this.#timer = setTimeout(say, GRACE);
    else say();
  }
}
