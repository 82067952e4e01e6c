/**
 * One attachment of a draft: how far its way to the server is, and how it looks above the box.
 */
import { h, icon } from "wb/dom";
import { inBytes } from "wb/sizes";
import { gettext, interpolate } from "wb/words";

/** @typedef {{kind: "image" | "file", file_id: string, name: string, mime_type: string, size: number}} Stored */

/** What is known of an attachment. `record` is the server's word for it, once it's there. */
export class Chip {
  state = "waiting"; // then sending; then ready or failed; removed at any time
  share = 0; // of it that is sent
  problem = "";
  record = null;
  #abort = new AbortController();
  #preview = null;

  /** @param {{file?: File, record?: Stored, pasted?: boolean}} origin `pasted`: text that may go back into the box */
  constructor({ file = null, record = null, pasted = false }) {
    Object.assign(this, { file, pasted });
    if (record !== null) this.arrived(record);
  }

  get name() {
    return this.record?.name ?? this.file.name;
  }

  get size() {
    return this.record?.size ?? this.file.size;
  }

  get isImage() {
    return this.record ? this.record.kind === "image" : this.file.type.startsWith("image/");
  }

  get signal() {
    return this.#abort.signal;
  }

  begin() {
    Object.assign(this, { state: "sending", share: 0, problem: "" });
    this.#abort = new AbortController();
  }

  arrived(record) {
    if (record.pasted) this.pasted = true;
    Object.assign(this, { state: "ready", record: this.pasted ? { ...record, pasted: true } : record });
  }

  fail(problem) {
    Object.assign(this, { state: "failed", problem });
  }

  /** Not wanted any more: what is on its way is stopped. */
  drop() {
    this.state = "removed";
    this.#abort.abort();
    if (this.#preview) URL.revokeObjectURL(this.#preview);
  }

  /** Where the picture is to be had. @param {(fileId: string) => string} fileAddress */
  preview(fileAddress) {
    if (this.file === null) return fileAddress(this.record.file_id);
    this.#preview ??= URL.createObjectURL(this.file);
    return this.#preview;
  }
}

/** A chip on the page. Its buttons are made once, so that the focus stays where it is. */
export class ChipView {
  #facts = h("span", { class: "facts" });
  #bar;
  #retry;
  #state = "";

  /** @param {Chip} chip @param {{onRemove, onRetry, onText: (chip: Chip) => void, fileAddress}} doings */
  constructor(chip, { onRemove, onRetry, onText, fileAddress }) {
    this.chip = chip;
    const { name } = chip;
    this.#bar = h("progress", { max: 1, value: 0, "aria-label": interpolate(gettext("Upload of %(name)s"), { name }) });
    this.#retry = button("retry", "retry", interpolate(gettext("Try again: %(name)s"), { name }), () => onRetry(chip));
    const asText = h("button", { type: "button", class: "quiet as-text" }, gettext("Insert as text"));
    asText.addEventListener("click", () => onText(chip));
    asText.hidden = !chip.pasted;
    this.element = h(
      "li",
      { class: "chip" },
      chip.isImage ? h("img", { src: chip.preview(fileAddress), alt: "" }) : icon("document"),
      h("span", { class: "words" }, h("span", { class: "title", dir: "auto", title: name }, name), this.#facts, this.#bar),
      asText,
      this.#retry,
      button("remove", "close", interpolate(gettext("Remove %(name)s"), { name }), () => onRemove(chip)),
    );
    this.show();
  }

  /** Brings it up to date. */
  show() {
    const { state, share, problem, size } = this.chip;
    this.#bar.value = share;
    if (state === this.#state) return;
    this.#state = state;
    this.element.dataset.state = state;
    this.#bar.hidden = state !== "sending" && state !== "waiting";
    this.#facts.hidden = !this.#bar.hidden;
    this.#facts.textContent = state === "failed" ? problem : inBytes(size);
    this.#retry.hidden = state !== "failed";
  }

  /** Puts the focus on the button that removes it. */
  focus() {
    this.element.querySelector(".remove").focus();
  }
}

function button(name, symbol, label, onClick) {
  const made = h("button", { type: "button", class: `quiet ${name}`, "aria-label": label, title: label }, icon(symbol));
  made.addEventListener("click", onClick);
  return made;
}
