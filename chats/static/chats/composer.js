/**
 * Where the next message is written: draft, Enter, Send and Stop. What is done with the text is page.js's.
 */
import { recall, remember } from "wb/storage";

const TOUCH = window.matchMedia("(hover: none) and (pointer: coarse)");

/** Texts one below the other, without those that say nothing. */
const inLines = (...texts) => texts.filter(Boolean).join("\n");

export class Composer {
  #form;
  #box;
  #button;
  #later;
  #label;
  #draftKey = "";
  #busy = false;

  /**
   * @param {HTMLFormElement} form
   * @param {object} listeners `onSend(text)`: now, or as soon as the answer is there; `onStop()`; `onRecall()`: ↑ in
   *   an empty box. Each is called only when it makes sense.
   */
  constructor(form, { onSend, onStop, onRecall }) {
    Object.assign(this, { onSend, onStop, onRecall });
    this.#form = form;
    this.#box = form.elements.content;
    this.#button = form.querySelector("button[type=submit]");
    this.#later = form.querySelector("button.later");
    this.#label = this.#button.querySelector(".label");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#busy) this.onStop();
      else this.#submit();
    });
    this.#later.addEventListener("click", () => this.#submit());
    this.#box.addEventListener("input", () => this.#edited());
    this.#box.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** Opens the draft that belongs to `key`; one draft per chat and user, for as long as the tab lives. */
  open(key) {
    const isFirst = this.#draftKey === "";
    this.#draftKey = `draft:${key}`;
    const draft = recall(this.#draftKey) ?? "";
    // A box that was typed into before the modules came wins over what was kept.
    if (!isFirst || this.#box.value === "") this.#box.value = draft;
    this.#edited();
    this.#form.inert = false;
    if (!TOUCH.matches) this.focus();
  }

  /** A new chat has got its id: its draft goes with it. */
  move(key) {
    remember(this.#draftKey, null);
    this.#draftKey = `draft:${key}`;
    this.#edited();
  }

  focus() {
    this.#box.focus();
  }

  /** Puts text into the box, instead of what's there. */
  fill(text) {
    this.#box.value = text;
    this.#edited();
    this.focus();
    this.#box.setSelectionRange(text.length, text.length);
  }

  /** Puts text back into the box to be changed, before what has been written since. */
  takeBack(text) {
    this.giveBack(text);
    this.focus();
  }

  /** Gives text back that couldn't be sent, before what has been written since. */
  giveBack(text) {
    this.#box.value = inLines(text, this.#box.value);
    this.#edited();
  }

  /** While an answer is made the button stops it, in the same place; what is written waits. */
  setBusy(busy) {
    if (busy === this.#busy) return;
    this.#busy = busy;
    this.#form.classList.toggle("busy", busy);
    this.#label.textContent = busy ? this.#button.dataset.stop : this.#button.dataset.send;
    this.#edited();
  }

  close() {
    this.#form.inert = true;
  }

  #submit() {
    const text = this.#box.value;
    if (text.trim() === "") return;
    this.#box.value = "";
    this.#edited();
    this.onSend(text);
    if (!TOUCH.matches) this.focus();
  }

  #edited() {
    const text = this.#box.value;
    const isEmpty = text.trim() === "";
    remember(this.#draftKey, text);
    this.#button.disabled = !this.#busy && isEmpty;
    this.#later.hidden = !this.#busy || isEmpty;
    if (!CSS.supports("field-sizing", "content")) this.#resize();
  }

  #resize() {
    this.#box.style.height = "auto";
    this.#box.style.height = `${this.#box.scrollHeight}px`;
  }

  #pressed(event) {
    if (event.isComposing || event.keyCode === 229) return; // Enter picks a word in an input method
    const isBare = !event.altKey && !event.shiftKey && !event.ctrlKey && !event.metaKey;
    if (event.key === "ArrowUp" && isBare && this.#box.value === "") {
      if (this.onRecall()) event.preventDefault();
      return;
    }
    if (event.key !== "Enter" || event.shiftKey) return;
    if (TOUCH.matches && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.#submit();
  }
}

/** The draft of a chat that isn't open here gets text back that couldn't be sent. */
export function giveBackTo(key, text) {
  remember(`draft:${key}`, inLines(text, recall(`draft:${key}`)));
}
