/**
 * What is attached to drafts: chips above the box, their uploads, and what has to be done before a message can go.
 * A chip belongs to its draft: it stays with it from chat to chat, and once it is uploaded over a reload too.
 */
import { Refused, SignedOut } from "wb/api";
import { Chip, ChipView } from "wb/chips";
import { h, icon } from "wb/dom";
import { recall, remember } from "wb/storage";
import { styled } from "wb/stylesheet";
import { refusalOf, upload } from "wb/uploads";
import { gettext, interpolate } from "wb/words";

const AT_ONCE = 3; // uploads; the rest of the browser's connections are for the chat
const DROPPING = 700; // ms after the last sign of something being dragged over the page

const stored = (key) => JSON.parse(recall(`files:${key}`)) ?? [];

const stay = (event) => event.preventDefault();

export class Attachments {
  #drafts = new Map(); // a draft's key → its chips
  #views = new WeakMap();
  #key = "";
  #list = h("ul", { "aria-label": gettext("Attachments") });
  #why = h("p", { class: "why", id: "why-not" });
  #overlay = h("div", { id: "dropping", hidden: true }, h("p", {}, icon("clip"), gettext("Drop to attach")));
  #dropping = null;

  /**
   * @param {HTMLFormElement} form
   * @param {{uploads: import("wb/uploads").Limits, choices: object, api: object, toasts: object, announce: (text: string) => void,
   *   onTrouble: (error: Error) => void}} parts
   * @param {object} listeners `onChange()`: whether a message can go may have changed; `onText(text)`: a pasted text
   *   shall be in the box after all; `onEmptied()`: the last one was removed
   */
  constructor(form, { uploads, choices, api, toasts, announce, onTrouble }, { onChange, onText, onEmptied }) {
    Object.assign(this, { limits: uploads, choices, api, toasts, announce, onTrouble, onChange, onText, onEmptied });
    this.element = h("div", { class: "attached", hidden: true }, this.#list, this.#why);
    this.submit = form.querySelector("button[type=submit]");
    const show = () => {
      form.prepend(this.element);
      form.append(this.#overlay);
    };
    styled(import.meta.resolve("wb/composer.css")).then(show, show); // without its looks rather than not at all
  }

  /** Shows what is attached to a draft. */
  open(key) {
    const before = this.#drafts.get(key) ?? [];
    const known = new Map(before.map((chip) => [chip.record?.file_id, chip]));
    const kept = stored(key).map((record) => known.get(record.file_id) ?? new Chip({ record }));
    this.#drafts.set(key, [...kept, ...before.filter(({ record }) => record === null)]);
    this.#key = key;
    this.#list.replaceChildren(...this.#chips.map((chip) => this.#viewOf(chip).element));
    this.#changed();
  }

  /** The draft that is shown has got another key. */
  move(key) {
    const chips = [...this.#chips, ...(this.#drafts.get(key) ?? [])];
    this.#drafts.delete(this.#key);
    remember(`files:${this.#key}`, null);
    this.#key = key;
    this.#drafts.set(key, chips);
    this.#keep(key);
    this.#changed();
  }

  get isEmpty() {
    return this.#chips.length === 0;
  }

  get isReady() {
    return this.#whyNot === "";
  }

  /** Says, to screen readers too, why the message can't go. */
  sayWhyNot() {
    if (!this.isReady) this.announce(this.#whyNot);
  }

  /** Attaches files, as far as they may be. @param {File[]} files */
  add(files, { pasted = false } = {}) {
    this.#hideDropping();
    for (const file of files) {
      const isOneTooMany = this.#chips.length >= this.limits.max_files;
      const refusal = isOneTooMany ? this.#tooMany : refusalOf(file, this.limits);
      if (refusal) this.toasts.show(refusal);
      if (isOneTooMany) break;
      if (refusal) continue;
      const chip = new Chip({ file, pasted });
      this.#chips.push(chip);
      this.#list.append(this.#viewOf(chip).element);
    }
    this.#sendNext();
    this.#changed();
    this.#list.lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  /** Attaches a text that was pasted, or where texts can't be attached has it put into the box. */
  addText(text) {
    const number = this.#chips.filter(({ pasted }) => pasted).length + 1;
    const name = number === 1 ? gettext("Pasted text.txt") : interpolate(gettext("Pasted text %(number)s.txt"), { number });
    const file = new File([text], name, { type: "text/plain" });
    if (refusalOf(file, this.limits) || this.#chips.length >= this.limits.max_files) this.onText(text);
    else this.add([file], { pasted: true });
  }

  /** What goes with the message that is being sent. @returns {import("wb/chips").Stored[]} */
  take() {
    const chips = this.#chips.splice(0);
    this.#keep(this.#key);
    this.#list.replaceChildren();
    for (const chip of chips) chip.drop();
    this.#changed();
    return chips.map(({ record }) => record);
  }

  /** Something is being dragged over the page. */
  showDropping() {
    this.#overlay.hidden = false;
    clearTimeout(this.#dropping);
    this.#dropping = setTimeout(() => this.#hideDropping(), DROPPING);
  }

  #hideDropping() {
    clearTimeout(this.#dropping);
    this.#overlay.hidden = true;
  }

  get #chips() {
    return this.#drafts.get(this.#key);
  }

  get #tooMany() {
    return interpolate(gettext("At most %(count)s files go with one message."), { count: this.limits.max_files });
  }

  get #whyNot() {
    const states = new Set(this.#chips.map(({ state }) => state));
    if (states.has("failed")) return gettext("Try again, or remove what couldn’t be uploaded, to send.");
    if (states.has("waiting") || states.has("sending")) return gettext("You can send when the upload is complete.");
    return this.#chips.length > this.limits.max_files ? this.#tooMany : "";
  }

  /** What the reader should know before sending; "" for nothing. */
  get #note() {
    const isUnseen = !this.choices.readsImages && this.#chips.some(({ isImage }) => isImage);
    return isUnseen ? gettext("The chosen model can’t see images. It will only be told that they are there.") : "";
  }

  // On the way to the server

  #sendNext() {
    const all = [...this.#drafts.values()].flat();
    const waiting = all.filter(({ state }) => state === "waiting");
    const free = AT_ONCE - all.filter(({ state }) => state === "sending").length;
    for (const chip of waiting.slice(0, Math.max(0, free))) this.#upload(chip);
  }

  async #upload(chip) {
    chip.begin();
    this.#show(chip);
    const onProgress = (share) => {
      chip.share = share;
      this.#show(chip);
    };
    try {
      const record = await upload(this.api.file(), chip.file, { onProgress, signal: chip.signal });
      if (chip.state === "removed") this.#discard(record);
      else this.#arrived(chip, record);
    } catch (error) {
      if (chip.state !== "removed") this.#failed(chip, error);
    }
    this.#sendNext();
  }

  #arrived(chip, record) {
    chip.arrived(record);
    const [key] = [...this.#drafts].find(([, chips]) => chips.includes(chip));
    this.#keep(key);
    this.announce(interpolate(gettext("Attached: %(name)s"), { name: chip.name }));
    this.#show(chip);
    this.#changed();
  }

  #failed(chip, error) {
    if (error instanceof SignedOut) this.onTrouble(error);
    chip.fail((error instanceof Refused && error.words) || gettext("The upload broke off."));
    this.announce(`${chip.name}: ${chip.problem}`);
    this.#show(chip);
    this.#changed();
  }

  #discard({ file_id: id }) {
    this.api.discardFile(id).catch(this.onTrouble);
  }

  #keep(key) {
    const records = this.#drafts.get(key).flatMap(({ record }) => record ?? []);
    remember(`files:${key}`, records.length > 0 ? JSON.stringify(records) : null);
  }

  // On the page

  #viewOf(chip) {
    if (!this.#views.has(chip)) {
      const view = new ChipView(chip, {
        fileAddress: (id) => this.api.file(id),
        onRemove: () => this.#remove(chip),
        onText: () => this.#intoBox(chip),
        onRetry: () => {
          chip.state = "waiting";
          view.focus();
          this.#sendNext();
          this.#changed();
        },
      });
      this.#views.set(chip, view);
    }
    return this.#views.get(chip);
  }

  #show(chip) {
    this.#viewOf(chip).show();
  }

  #remove(chip) {
    const place = this.#chips.indexOf(chip);
    this.#chips.splice(place, 1);
    this.#keep(this.#key);
    chip.drop();
    this.#viewOf(chip).element.remove();
    if (chip.record) this.#discard(chip.record);
    const next = this.#chips[Math.min(place, this.#chips.length - 1)];
    this.#changed();
    if (next) this.#viewOf(next).focus();
    else this.onEmptied();
  }

  async #intoBox(chip) {
    try {
      const text = chip.file ? await chip.file.text() : await this.api.textOf(chip.record.file_id);
      this.#remove(chip);
      this.onText(text);
    } catch (error) {
      this.onTrouble(error);
    }
  }

  /** Shows what there is to know beside the chips themselves. */
  show() {
    const words = this.#whyNot || this.#note;
    this.element.hidden = this.isEmpty;
    this.#why.textContent = words;
    this.#why.hidden = words === "";
    if (words === "") this.submit.removeAttribute("aria-describedby");
    else this.submit.setAttribute("aria-describedby", this.#why.id);
  }

  #changed() {
    this.show();
    const isUploading = [...this.#drafts.values()].flat().some(({ state }) => state === "waiting" || state === "sending");
    // The browser asks before it leaves a page with an upload on its way.
    if (isUploading) addEventListener("beforeunload", stay);
    else removeEventListener("beforeunload", stay);
    this.onChange();
  }
}
