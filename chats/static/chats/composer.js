/**
 * Where the next message is written: draft, Enter, Send and Stop. What is done with it is page.js's. What only some
 * messages need is loaded when it is needed: what is attached (attachments.js), and the menu of prompts (prompts.js).
 */
import { recall, remember } from "wb/storage";

const TOUCH = window.matchMedia("(hover: none) and (pointer: coarse)");
const LONG = 4000; // characters of pasted text that rather become a file

/** Texts one below the other, without those that say nothing. */
const inLines = (...texts) => texts.filter(Boolean).join("\n");

export class Composer {
  #form;
  #box;
  #button;
  #later;
  #label;
  #key = ""; // of the draft
  #busy = false;
  #attached = null; // once it's there: what is attached
  #loading = null;
  #isOurs = false; // what is being dragged, a picture of the page's perhaps

  /**
   * @param {HTMLFormElement} form
   * @param {object} parts `uploads`: what may be attached, if anything; `choices`, `api`, `toasts`, `announce`,
   *   `onTrouble`
   * @param {object} listeners `onSend(text, files)`: now, or as soon as the answer is there; `onStop()`; `onRecall()`:
   *   ↑ in an empty box. Each is called only when it makes sense.
   */
  constructor(form, parts, { onSend, onStop, onRecall }) {
    Object.assign(this, { parts, onSend, onStop, onRecall });
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
    this.#box.addEventListener("input", (event) => this.#typed(event));
    this.#box.addEventListener("keydown", (event) => this.#pressed(event));
    form.querySelector(".prompts")?.addEventListener("click", () => this.#offerPrompts());
    if (parts.uploads) this.#takeFiles();
  }

  /** Opens the draft that belongs to `key`; one draft per chat and user, for as long as the tab lives. */
  open(key) {
    const isFirst = this.#key === "";
    this.#key = key;
    const draft = recall(`draft:${key}`) ?? "";
    // A box that was typed into before the modules came wins over what was kept.
    if (!isFirst || this.#box.value === "") this.#box.value = draft;
    this.#attached?.open(key);
    this.#edited();
    this.#form.inert = false;
    if (!TOUCH.matches) this.focus();
  }

  /** A new chat has got its id: its draft goes with it. */
  move(key) {
    remember(`draft:${this.#key}`, null);
    this.#key = key;
    this.#attached?.move(key);
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

  /** Puts text where the cursor is. */
  insert(text) {
    const { selectionStart: start, selectionEnd: end } = this.#box;
    this.#box.setRangeText(text, start, end, "end");
    this.#edited();
    this.focus();
  }

  /** Puts a message back into the box to be changed, before what has been written since. */
  takeBack(text, files) {
    this.giveBack(text, files);
    this.focus();
  }

  /** Gives a message back that couldn't be sent, before what has been written since. */
  giveBack(text, files = []) {
    this.#box.value = inLines(text, this.#box.value);
    giveFilesBackTo(this.#key, files);
    this.#attached?.open(this.#key);
    this.#edited();
  }

  /** Another model may read other files. */
  choiceChanged() {
    this.#attached?.show();
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
    if (!this.#canSend) return void this.#sayWhyNot();
    this.#box.value = "";
    const files = this.#attached?.take() ?? [];
    this.#edited();
    this.onSend(text, files);
    if (!TOUCH.matches) this.focus();
  }

  /** Whether there is something to send, and nothing of it is still on its way here. */
  get #canSend() {
    const hasText = this.#box.value.trim() !== "";
    if (this.#attached) return this.#attached.isReady && (hasText || !this.#attached.isEmpty);
    return hasText && this.#loading === null && recall(`files:${this.#key}`) === null;
  }

  async #sayWhyNot() {
    (this.#attached ?? (await this.#loading))?.sayWhyNot();
  }

  #edited() {
    remember(`draft:${this.#key}`, this.#box.value);
    this.#allow();
    if (!this.#attached && recall(`files:${this.#key}`) !== null) this.#withAttached(() => {});
    if (!CSS.supports("field-sizing", "content")) this.#resize();
  }

  #allow() {
    const canSend = this.#canSend;
    this.#button.disabled = !this.#busy && !canSend;
    this.#later.hidden = !this.#busy || !canSend;
  }

  #resize() {
    this.#box.style.height = "auto";
    this.#box.style.height = `${this.#box.scrollHeight}px`;
  }

  #typed({ inputType, isComposing }) {
    this.#edited();
    if (this.#box.value === "/" && inputType === "insertText" && !isComposing) this.#offerPrompts({ asTyped: true });
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

  async #offerPrompts({ asTyped = false } = {}) {
    if (!this.#form.querySelector(".prompts")) return; // this site has none
    try {
      const { offerPrompts } = await import("wb/prompts");
      offerPrompts(this.#form, { composer: this, asTyped, ...this.parts });
    } catch (error) {
      this.parts.onTrouble(error);
    }
  }

  /** Files that are picked, pasted or dropped anywhere on the page. */
  #takeFiles() {
    const picker = this.#form.querySelector("input[type=file]");
    this.#form.querySelector(".attach").addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => {
      const files = [...picker.files];
      picker.value = ""; // so that the same one can be picked again
      this.#attach(files);
    });
    addEventListener("paste", (event) => this.#pasted(event));
    for (const name of ["dragstart", "dragend", "dragover", "drop"]) addEventListener(name, (event) => this.#dragged(event));
  }

  #pasted(event) {
    const { files, types } = event.clipboardData;
    const isOther = event.target !== this.#box && event.target.closest?.("input, textarea, dialog");
    if (isOther || this.#form.inert || event.defaultPrevented) return;
    // Words and tables that are copied bring a picture of themselves too.
    const isText = types.includes("text/plain") && (files.length === 0 || types.includes("text/html"));
    const text = isText ? event.clipboardData.getData("text/plain") : "";
    if (isText && (event.target !== this.#box || text.length < LONG)) return;
    if (!isText && files.length === 0) return;
    event.preventDefault();
    if (!isText) this.#attach([...files]);
    else this.#withAttached((attached) => attached.addText(text), () => this.insert(text));
  }

  #dragged(event) {
    if (event.type === "dragstart") this.#dragsOurs();
    if (event.type === "dragend") this.#isOurs = false;
    if (this.#isOurs || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault(); // or the browser would show the file instead of this page
    if (this.#form.inert || document.querySelector("dialog[open]")) return;
    if (event.type === "drop") this.#attach([...event.dataTransfer.files]);
    else this.#withAttached((attached) => attached.showDropping());
  }

  /** Until its end, or the pointer's next move: nobody hears the end of what has left the page by then. */
  #dragsOurs() {
    this.#isOurs = true;
    addEventListener("pointermove", () => (this.#isOurs = false), { once: true });
  }

  #attach(files) {
    this.#withAttached((attached) => attached.add(files));
  }

  /** `otherwise`: what is done where the module can't be had. */
  #withAttached(use, otherwise = () => {}) {
    if (this.#attached) return use(this.#attached);
    this.#loading ??= this.#load();
    this.#allow(); // not without what is coming
    return void this.#loading.then((attached) => (attached ? use(attached) : otherwise()));
  }

  async #load() {
    try {
      const { Attachments } = await import("wb/attachments");
      this.#attached = new Attachments(this.#form, this.parts, {
        onChange: () => this.#edited(),
        onText: (text) => this.insert(text),
        onEmptied: () => this.focus(),
      });
      this.#attached.open(this.#key);
    } catch (error) {
      this.parts.onTrouble(error);
    }
    this.#loading = null;
    this.#allow();
    return this.#attached;
  }
}

/** The draft of a chat that isn't open here gets a message back that couldn't be sent. */
export function giveBackTo(key, text, files = []) {
  remember(`draft:${key}`, inLines(text, recall(`draft:${key}`)));
  giveFilesBackTo(key, files);
}

function giveFilesBackTo(key, files) {
  const kept = JSON.parse(recall(`files:${key}`)) ?? [];
  if (files.length > 0) remember(`files:${key}`, JSON.stringify([...files, ...kept]));
}
