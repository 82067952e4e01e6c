/**
 * What can be done with one message: copied, edited or answered anew, compared with its alternatives, rated.
 * Owns the row of buttons below the message, which are made once, so that the focus stays where it is.
 */
import { isUnfinished } from "wb/answer";
import { copyText, textOf } from "wb/clipboard";
import { h, icon, setHidden } from "wb/dom";
import { gettext, interpolate } from "wb/words";

const SAID = 1600; // ms that "Copied" stays

/**
 * @typedef {object} Doings
 * @property {(message: object) => void} edit
 * @property {(message: object) => void} regenerate
 * @property {(id: string, direction: "previous" | "next") => void} go shows an alternative
 * @property {((message: object, rating: "up" | "down", button: HTMLElement) => void) | null} rate null: no ratings here
 * @property {(text: string) => void} announce
 */

export class MessageActions {
  #buttons = new Map(); // name → button
  #message = null;
  #alternatives = [];

  /** @param {"request" | "response"} kind @param {Doings} doings */
  constructor(kind, doings) {
    this.doings = doings;
    this.element = h("div", { class: "actions", role: "group", "aria-label": gettext("What to do with this message") });
    this.#count = h("span", { class: "count" });
    this.#branches = h(
      "span",
      { class: "branches", role: "group", "aria-label": gettext("Versions"), hidden: true },
      this.#button("previous", "back", gettext("Previous version"), () => this.#go(-1, "previous")),
      this.#count,
      this.#button("next", "chevron", gettext("Next version"), () => this.#go(1, "next")),
    );
    this.element.append(this.#branches, this.#button("copy", "copy", gettext("Copy"), () => this.#copy()));
    if (kind === "request") this.#add("edit", "edit", gettext("Edit"), () => doings.edit(this.#message));
    else this.#addForAnswer(doings);
  }

  #count;
  #branches;

  /** @param {object} message @param {{alternatives: string[], busy: boolean}} place */
  show(message, { alternatives, busy }) {
    this.#message = message;
    this.#alternatives = alternatives;
    const place = alternatives.indexOf(message.id);
    const several = alternatives.length > 1;
    setHidden(this.#branches, !several);
    if (several) this.#count.textContent = `${place + 1} / ${alternatives.length}`;
    this.#buttons.get("previous").disabled = busy || place <= 0;
    this.#buttons.get("next").disabled = busy || place === alternatives.length - 1;
    const isContinuation = Boolean(message.kind === "request" && message.metadata?.continues);
    for (const name of ["edit", "regenerate"]) this.#allow(name, !busy && !isContinuation);
    this.#allow("copy", !isContinuation);
    this.showRating(message.feedback);
    const isBare = isUnfinished(message) || isContinuation;
    setHidden(this.element, message.unsent === true || (isBare && !several));
  }

  /** @param {{rating: string | null} | null | undefined} feedback */
  showRating(feedback) {
    for (const name of ["up", "down"]) this.#press(name, feedback?.rating === name);
  }

  /** Puts the focus on a button, where it can be pressed; else on one beside it. */
  focus(name) {
    const wanted = this.#buttons.get(name);
    const there = wanted.disabled ? this.#buttons.get(name === "next" ? "previous" : "next") : wanted;
    there.focus();
  }

  #addForAnswer(doings) {
    this.#add("regenerate", "retry", gettext("Answer again"), () => doings.regenerate(this.#message));
    if (doings.rate === null) return;
    for (const [name, label] of [["up", gettext("Good answer")], ["down", gettext("Bad answer")]]) {
      this.#add(name, `thumb-${name}`, label, (button) => doings.rate(this.#message, name, button));
    }
  }

  #add(...button) {
    this.element.append(this.#button(...button));
  }

  #button(name, symbol, label, onClick) {
    const button = h("button", { type: "button", class: `quiet ${name}`, "aria-label": label, title: label }, icon(symbol));
    button.addEventListener("click", () => onClick(button));
    this.#buttons.set(name, button);
    return button;
  }

  #allow(name, allowed) {
    const button = this.#buttons.get(name);
    if (button) setHidden(button, !allowed);
  }

  #press(name, pressed) {
    this.#buttons.get(name)?.setAttribute("aria-pressed", String(pressed));
  }

  #go(step, direction) {
    const place = this.#alternatives.indexOf(this.#message.id) + step;
    this.doings.go(this.#alternatives[place], direction);
    const words = { place: place + 1, count: this.#alternatives.length };
    this.doings.announce(interpolate(gettext("Version %(place)s of %(count)s"), words));
  }

  async #copy() {
    const copied = await copyText(textOf(this.#message));
    const words = copied ? gettext("Copied") : gettext("The browser didn’t allow copying.");
    this.doings.announce(words);
    if (!copied) return;
    const button = this.#buttons.get("copy");
    button.replaceChildren(icon("check"));
    setTimeout(() => button.replaceChildren(icon("copy")), SAID);
  }
}
