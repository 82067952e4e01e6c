/**
 * A block of code: its language, a button that copies it, and colours once it is whole: at once in a text that is being
 * written, where the page is drawn anew anyway, else when there is time for them.
 */
import { copyText } from "wb/clipboard";
import { h, icon } from "wb/dom";
import { highlight } from "wb/markdown/highlight";
import { withTurningShown } from "wb/markdown/turning";
import { gettext } from "wb/words";

const SAID = 1600; // ms that "Copied" stays

export class CodeBlock {
  #code;
  #text = "";
  #language;
  #isWhole = false;
  #isLive;

  constructor({ text, lang }, isOpen, { isLive }) {
    this.#isLive = isLive;
    this.#language = languageOf(lang);
    this.#code = h("code", { dir: "ltr" });
    const label = h("span", { class: "language" }, this.#language || gettext("text"));
    const copy = h("button", { type: "button", class: "quiet copy" }, icon("copy"), h("span", {}, gettext("Copy")));
    copy.addEventListener("click", () => this.#copy(copy));
    const name = this.#language ? `${gettext("Code")}, ${this.#language}` : gettext("Code");
    const scrolling = h("pre", { tabindex: 0, role: "group", "aria-label": name }, this.#code);
    this.element = h("figure", { class: "code" }, h("figcaption", {}, label, copy), scrolling);
    this.#grow(text, isOpen);
  }

  /** Whether the block can become what the token says: its text has got longer, or it is whole now. */
  update({ text, lang }, isOpen) {
    if (languageOf(lang) !== this.#language || !text.startsWith(this.#text)) return false;
    if (this.#isWhole) return text === this.#text;
    this.#grow(text, isOpen);
    return true;
  }

  #grow(text, isOpen) {
    this.#code.append(...withTurningShown(text.slice(this.#text.length)));
    this.#code.normalize();
    this.#text = text;
    if (isOpen) return;
    this.#isWhole = true;
    highlight(text, this.#language, { isUrgent: this.#isLive, show: (nodes) => this.#code.replaceChildren(...nodes) });
  }

  async #copy(button) {
    const words = (await copyText(this.#text)) ? gettext("Copied") : gettext("Not copied");
    button.lastChild.textContent = words;
    setTimeout(() => (button.lastChild.textContent = gettext("Copy")), SAID);
  }
}

const languageOf = (lang) => /^[^\s{,:]*/.exec(lang ?? "")[0].slice(0, 30);
