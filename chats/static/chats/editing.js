/**
 * A question being edited, in its own place. Sending makes a branch; the question that was stays what it was. What was
 * written is kept for the tab's life, until it is sent or given up. What is attached stays, unless it is taken out.
 */
import { h, icon } from "wb/dom";
import { recall, remember } from "wb/storage";
import { styled } from "wb/stylesheet";
import { gettext, interpolate } from "wb/words";

/**
 * Puts an edit box into a message's element until it is sent or given up.
 * @param {HTMLElement} element the message's
 * @param {{id: string, text: string, files: object[]}} message `text`: what it says; `files`: parts that are attached
 * @param {{onSend: (text: string, files: object[]) => void, onEnd: () => void}} listeners `onEnd`: given up, focus is
 *   the caller's
 */
export function edit(element, { id, text, files }, { onSend, onEnd }) {
  if (element.classList.contains("editing")) return;
  const key = `edit:${id}`;
  const box = h("textarea", { rows: 3, dir: "auto", "aria-label": gettext("Your message, edited") });
  const cancel = h("button", { type: "button", class: "quiet" }, gettext("Cancel"));
  const send = h("button", { type: "submit", class: "primary" }, gettext("Send"));
  const hint = h("span", { class: "hint" }, gettext("The earlier version stays; switch with the arrows."));
  const attached = new Kept(files, { onChange: () => allow(), onEmptied: () => box.focus() });
  const form = h("form", { class: "editor" }, attached.element, box, h("div", { class: "row" }, hint, cancel, send));
  const close = () => {
    remember(key, null);
    form.remove();
    element.classList.remove("editing");
  };
  const allow = () => (send.disabled = box.value.trim() === "" && attached.files.length === 0);
  const giveUp = () => {
    close();
    onEnd();
  };
  box.value = recall(key) ?? text;
  allow();
  cancel.addEventListener("click", giveUp);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (send.disabled) return;
    close();
    onSend(box.value.trim() === "" ? "" : box.value, attached.files);
  });
  box.addEventListener("input", () => {
    allow();
    remember(key, box.value);
  });
  form.addEventListener("keydown", (event) => pressed(event, form, giveUp));
  element.classList.add("editing");
  element.append(form);
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}

function pressed(event, form, giveUp) {
  if (event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  if (event.key !== "Escape") return;
  event.stopPropagation(); // Esc would stop an answer too
  giveUp();
}

/** What is attached to the question, each to be taken out. */
class Kept {
  /** @param {object[]} files @param {{onChange: () => void, onEmptied: () => void}} listeners */
  constructor(files, { onChange, onEmptied }) {
    this.files = files;
    const items = files.map((file) => this.#item(file, onChange, onEmptied));
    const list = h("ul", { class: "kept", "aria-label": gettext("Attachments"), hidden: true }, ...items);
    this.element = files.length > 0 ? list : null;
    const show = () => (list.hidden = false); // without its looks rather than not at all
    if (this.element) styled(import.meta.resolve("wb/composer.css")).then(show, show);
  }

  #item(file, onChange, onEmptied) {
    const name = file.name || file.alt || gettext("An image without a description");
    const label = interpolate(gettext("Remove %(name)s"), { name });
    const remove = h("button", { type: "button", class: "quiet", "aria-label": label, title: label }, icon("close"));
    const symbol = icon(file.kind === "image" ? "image" : "document");
    const item = h("li", {}, symbol, h("span", { class: "title", dir: "auto" }, name), remove);
    remove.addEventListener("click", () => {
      this.files = this.files.filter((each) => each !== file);
      const next = item.nextElementSibling ?? item.previousElementSibling;
      item.remove();
      onChange();
      if (next) next.querySelector("button").focus();
      else onEmptied();
    });
    return item;
  }
}
