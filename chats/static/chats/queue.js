/**
 * Messages that were written while an answer was being made: shown above the box, to be changed or taken back, and
 * sent one by one. Kept for the tab's life, per chat, so that a reload doesn't lose them.
 */
import { h, icon } from "wb/dom";
import { recall, remember } from "wb/storage";
import { gettext } from "wb/words";

/**
 * @typedef {{text: string, fields: object, files?: {name: string}[]}} Waiting `fields`: of the start, as they were
 *   chosen then; `files`: what is attached
 */

const kept = (key) => JSON.parse(recall(`queue:${key}`)) ?? [];

export class Queue {
  /** @type {Waiting[]} */
  #waiting = [];
  #key = "";
  #held = false;

  /**
   * @param {object} listeners `onEdit(waiting)`, `onSendNow()`, `onEmptied()`; `onRemove(waiting)`: it was given up
   */
  constructor(element, { onEdit, onSendNow, onEmptied, onRemove }) {
    Object.assign(this, { element, onEdit, onSendNow, onEmptied, onRemove });
  }

  /** Shows the queue of another chat. */
  open(key) {
    this.#key = `queue:${key}`;
    this.#waiting = kept(key);
    this.#held = false;
    this.#draw();
  }

  /** A new chat has got its id: what waits in it goes with it. */
  move(key) {
    remember(this.#key, null);
    this.#key = `queue:${key}`;
    this.#keep();
  }

  /** The same for a new chat that isn't shown any more. */
  rename(oldKey, key) {
    const waiting = kept(oldKey);
    if (waiting.length === 0) return;
    remember(`queue:${oldKey}`, null);
    remember(`queue:${key}`, JSON.stringify([...waiting, ...kept(key)]));
    if (this.#key === `queue:${key}`) this.open(key);
  }

  /** Takes all that waits in a chat, shown or not. @returns {Waiting[]} */
  takeAll(key) {
    const waiting = this.#key === `queue:${key}` ? this.#waiting.splice(0) : kept(key);
    remember(`queue:${key}`, null);
    this.#draw();
    return waiting;
  }

  get isHeld() {
    return this.#held;
  }

  get isEmpty() {
    return this.#waiting.length === 0;
  }

  add(waiting) {
    this.#waiting.push(waiting);
    this.#keep();
  }

  /** The next one to be sent, which waits no longer. */
  take() {
    const next = this.#waiting.shift() ?? null;
    this.#keep();
    return next;
  }

  /** Takes the last one back into the box; false where none waits. */
  editLast() {
    if (this.isEmpty) return false;
    this.#edit(this.#waiting.length - 1);
    return true;
  }

  /** Held: the answer before failed or was stopped, so the reader says when to go on. */
  hold(held) {
    if (held === this.#held) return;
    this.#held = held;
    this.#draw();
  }

  #keep() {
    remember(this.#key, this.isEmpty ? null : JSON.stringify(this.#waiting));
    this.#draw();
  }

  #edit(index) {
    const [waiting] = this.#waiting.splice(index, 1);
    this.#keep();
    this.onEdit(waiting);
  }

  #remove(index) {
    this.onRemove(...this.#waiting.splice(index, 1));
    this.#keep();
    if (this.isEmpty) this.onEmptied();
    else this.element.querySelectorAll("li .remove")[Math.min(index, this.#waiting.length - 1)].focus();
  }

  #draw() {
    this.element.hidden = this.isEmpty;
    const words = this.#held ? gettext("Waiting for you to go on") : gettext("Sent when the answer is complete");
    const now = h("button", { type: "button", class: "quiet now" }, gettext("Send now"));
    now.addEventListener("click", () => this.onSendNow());
    const items = this.#waiting.map((waiting, index) => this.#item(waiting, index));
    this.element.replaceChildren(
      h("p", { class: "label" }, words, this.#held ? now : null),
      h("ol", { "aria-label": gettext("Messages that wait") }, ...items),
    );
  }

  #item({ text, files = [] }, index) {
    const edit = this.#button("edit", gettext("Edit"), () => this.#edit(index));
    const remove = this.#button("remove", gettext("Remove"), () => this.#remove(index));
    const names = files.map(({ name }) => name).join(", ");
    const attached = names && h("span", { class: "attached-to", title: names }, icon("clip"), text ? String(files.length) : names);
    return h("li", {}, h("span", { class: "text", dir: "auto" }, text || null, attached || null), edit, remove);
  }

  #button(name, label, onClick) {
    const symbol = name === "remove" ? "close" : name;
    const button = h("button", { type: "button", class: `quiet ${name}`, "aria-label": label, title: label }, icon(symbol));
    button.addEventListener("click", onClick);
    return button;
  }
}
