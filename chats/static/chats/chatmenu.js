/**
 * What can be done with a chat of the list: the menu of its "more" button, and renaming in place.
 */
import { h, icon } from "wb/dom";
import { gettext } from "wb/words";

let open = null; // the menu that is open, with its button

/**
 * Opens the menu beside `button`; once more closes it.
 * @param {HTMLElement} button @param {{name: string, label: string, href?: string, onPick?: () => void}[]} entries
 */
export function showMenu(button, entries) {
  const wasOpenHere = open?.button === button;
  open?.menu.hidePopover();
  if (wasOpenHere) return;
  const menu = h("div", { class: "popup", role: "menu", popover: "auto" }, ...entries.map(entryOf));
  button.parentElement.append(menu);
  button.setAttribute("aria-expanded", "true");
  menu.addEventListener("keydown", (event) => move(menu, event));
  menu.addEventListener("click", () => menu.hidePopover());
  menu.addEventListener("toggle", ({ newState }) => {
    if (newState !== "closed") return;
    button.setAttribute("aria-expanded", "false");
    if (menu.contains(document.activeElement) || document.activeElement === document.body) button.focus();
    menu.remove();
    if (open?.menu === menu) open = null;
  });
  menu.showPopover();
  open = { menu, button };
  place(menu, button);
  menu.firstElementChild.focus();
}

function entryOf({ name, label, href, onPick }) {
  const attributes = { role: "menuitem", tabindex: -1, class: name };
  const words = [icon(name), label];
  if (href) return h("a", { href, download: true, ...attributes }, ...words);
  const button = h("button", { type: "button", ...attributes }, ...words);
  button.addEventListener("click", onPick);
  return button;
}

/** Below the button, or above it where there's no room. */
function place(menu, button) {
  const at = button.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = at.bottom + height + 8 < window.innerHeight;
  menu.style.top = `${below ? at.bottom + 4 : at.top - height - 4}px`;
  menu.style.left = `${Math.max(8, Math.min(at.right - width, window.innerWidth - width - 8))}px`;
}

function move(menu, event) {
  const entries = [...menu.children];
  const at = entries.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  entries.at(to % entries.length).focus();
}

/**
 * Puts a box in the place of an entry's title. Enter and leaving it keep the name, Esc gives it up.
 * @param {{element: HTMLElement, link: HTMLElement}} entry @param {string} title
 * @param {(title: string) => void} onRename called only for another, non-empty name
 */
export function rename(entry, title, onRename) {
  const box = h("input", { type: "text", dir: "auto", maxlength: 200, "aria-label": gettext("The chat’s title") });
  let isOver = false;
  const end = (keeps, refocus) => {
    if (isOver) return;
    isOver = true;
    const name = box.value.trim();
    box.remove();
    entry.element.classList.remove("renaming");
    if (refocus) entry.link.focus();
    if (keeps && name !== "" && name !== title) onRename(name);
  };
  box.value = title;
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
    event.preventDefault();
    event.stopPropagation();
    end(event.key === "Enter", true);
  });
  box.addEventListener("blur", () => end(true, false));
  entry.element.classList.add("renaming");
  entry.element.append(box);
  box.focus();
  box.select();
}
