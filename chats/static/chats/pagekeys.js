/**
 * What the page's keys do (keys.js says which they are).
 */
import { boxKeys, listen, shortcuts } from "wb/keys";
import { gettext } from "wb/words";

export class PageKeys {
  #shortcuts;

  /** @param {object} page `go`, `stop`, `isBusy`, `announce`, `library`, `composer`, `thread` (page.js) */
  constructor(page) {
    this.page = page;
    this.#shortcuts = shortcuts({
      newChat: () => page.go(null),
      search: () => page.library.search(),
      focusBox: () => page.composer.focus(),
      stop: () => this.#stop(),
      copyAnswer: () => this.#copyAnswer(),
      copyCode: () => this.#copy([...page.thread.element.querySelectorAll(".response pre code")].at(-1)?.textContent),
      previousMessage: () => this.#walk(-1),
      nextMessage: () => this.#walk(1),
      previousChat: () => page.library.step(-1),
      nextChat: () => page.library.step(1),
      help: () => this.help(),
    });
  }

  listen() {
    listen(this.#shortcuts);
    document.getElementById("help").addEventListener("click", () => this.help());
  }

  async help() {
    const { showHelp } = await import("wb/help");
    showHelp([...boxKeys(), ...this.#shortcuts]);
  }

  #stop() {
    if (!this.page.isBusy || document.querySelector(":popover-open")) return false;
    return this.page.stop();
  }

  async #copyAnswer() {
    const { textOf } = await import("wb/clipboard");
    const answer = this.page.thread.last("response");
    if (answer) this.#copy(textOf(answer));
  }

  async #copy(text) {
    if (!text) return;
    const { copyText } = await import("wb/clipboard");
    this.page.announce((await copyText(text)) ? gettext("Copied") : gettext("The browser didn’t allow copying."));
  }

  /** The focus goes from message to message, and the page with it. */
  #walk(step) {
    const messages = [...this.page.thread.element.children];
    const at = messages.findIndex((message) => message.contains(document.activeElement));
    const next = at === -1 ? messages.at(step === 1 ? 0 : -1) : messages[at + step];
    if (next === undefined) return;
    next.tabIndex = -1;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }
}
