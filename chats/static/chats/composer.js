/**
 * Where the next message is written: draft, Enter, Send and Stop. What is done with the text is page.js's.
 */
import { recall, remember } from "wb/storage";

const TOUCH = window.matchMedia("(hover: none) and (pointer: coarse)");

export class Composer {
  #form;
  #box;
  #task;
  #button;
  #label;
  #draftKey = "";
  #busy = false;

  /** `onSend(text, task)` and `onStop()`; both are called only when they make sense. */
  constructor(form, { onSend, onStop }) {
    this.#form = form;
    this.#box = form.elements.content;
    this.#task = form.elements.task;
    this.#button = form.querySelector("button[type=submit]");
    this.#label = this.#button.querySelector(".label");
    this.onSend = onSend;
    this.onStop = onStop;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#busy) this.onStop();
      else this.#submit();
    });
    this.#box.addEventListener("input", () => this.#edited());
    this.#box.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** Opens the draft that belongs to `key`; one draft per chat and user, for as long as the tab lives. */
  open(key) {
    remember(this.#draftKey, null); // of a new chat that has just got its id
    this.#draftKey = `draft:${key}`;
    // A box that was typed into before the modules came wins over what was kept.
    if (this.#box.value === "") this.#box.value = recall(this.#draftKey) ?? "";
    this.#edited();
    this.#form.inert = false;
    if (!TOUCH.matches) this.#box.focus();
  }

  get task() {
    return this.#task?.value;
  }

  get model() {
    return this.#form.dataset.model;
  }

  /** Gives text back that couldn't be sent, before what has been written since. */
  giveBack(text) {
    this.#box.value = [text, this.#box.value].filter((piece) => piece !== "").join("\n");
    this.#edited();
  }

  /** While an answer is made the button stops it, in the same place. */
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
    this.onSend(text, this.task);
  }

  #edited() {
    const text = this.#box.value;
    remember(this.#draftKey, text);
    this.#button.disabled = !this.#busy && text.trim() === "";
    if (!CSS.supports("field-sizing", "content")) this.#resize();
  }

  #resize() {
    this.#box.style.height = "auto";
    this.#box.style.height = `${this.#box.scrollHeight}px`;
  }

  #pressed(event) {
    if (event.key === "Escape" && this.#busy) return this.onStop();
    if (event.key !== "Enter" || event.shiftKey || TOUCH.matches) return undefined;
    if (event.isComposing || event.keyCode === 229) return undefined; // Enter picks a word in an input method
    event.preventDefault();
    if (!this.#busy) this.#submit();
    return undefined;
  }
}

/** The draft of a chat that isn't open here gets text back that couldn't be sent. */
export function giveBackTo(key, text) {
  const draft = recall(`draft:${key}`);
  remember(`draft:${key}`, draft ? `${text}\n${draft}` : text);
}
