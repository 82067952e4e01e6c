/**
 * The dialog that lists the keyboard map.
 */
import { h, icon } from "wb/dom";
import { singleKeys } from "wb/keys";
import { gettext } from "wb/words";

/** @param {{keys: string[], label: string}[]} listed */
export function showHelp(listed) {
  if (document.querySelector("dialog.help")) return;
  const focused = document.activeElement;
  const close = h("button", { type: "button", class: "quiet close", "aria-label": gettext("Close") }, icon("close"));
  const dialog = h(
    "dialog",
    { class: "sheet help", "aria-labelledby": "help-title" },
    h("header", {}, h("h2", { id: "help-title" }, gettext("Keyboard")), close),
    h("dl", {}, ...listed.flatMap(row)),
    singleKeySwitch(),
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    focused?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}

function row({ keys, label }) {
  const pressed = keys.flatMap((key, index) => [index > 0 ? " + " : null, h("kbd", {}, key)]);
  return [h("dt", {}, ...pressed.filter((each) => each !== null)), h("dd", {}, label)];
}

function singleKeySwitch() {
  const box = h("input", { type: "checkbox", checked: singleKeys.on });
  box.addEventListener("change", () => (singleKeys.on = box.checked));
  return h("label", { class: "switch" }, box, gettext("Single keys (?) do something"));
}
