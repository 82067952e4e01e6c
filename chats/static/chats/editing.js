/**
 * A question being edited, in its own place. Sending makes a branch; the question that was stays what it was. What was
 * written is kept for the tab's life, until it is sent or given up.
 */
import { h } from "wb/dom";
import { recall, remember } from "wb/storage";
import { gettext } from "wb/words";

/**
 * Puts an edit box into a message's element until it is sent or given up.
 * @param {HTMLElement} element the message's @param {{id: string, text: string}} message `text`: what it says
 * @param {{onSend: (text: string) => void, onEnd: () => void}} listeners `onEnd`: given up, focus is the caller's
 */
export function edit(element, { id, text }, { onSend, onEnd }) {
  if (element.classList.contains("editing")) return;
  const key = `edit:${id}`;
  const box = h("textarea", { rows: 3, dir: "auto", "aria-label": gettext("Your message, edited") });
  const cancel = h("button", { type: "button", class: "quiet" }, gettext("Cancel"));
  const send = h("button", { type: "submit", class: "primary" }, gettext("Send"));
  const hint = h("span", { class: "hint" }, gettext("The earlier version stays; switch with the arrows."));
  const form = h("form", { class: "editor" }, box, h("div", { class: "row" }, hint, cancel, send));
  const close = () => {
    remember(key, null);
    form.remove();
    element.classList.remove("editing");
  };
  const giveUp = () => {
    close();
    onEnd();
  };
  box.value = recall(key) ?? text;
  cancel.addEventListener("click", giveUp);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (box.value.trim() === "") return;
    close();
    onSend(box.value);
  });
  box.addEventListener("input", () => {
    send.disabled = box.value.trim() === "";
    remember(key, box.value);
  });
  form.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    if (event.key !== "Escape") return;
    event.stopPropagation(); // Esc would stop an answer too
    giveUp();
  });
  element.classList.add("editing");
  element.append(form);
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}
