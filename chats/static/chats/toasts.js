/**
 * Short news that go away by themselves: what happened elsewhere, and what can still be undone.
 */
import { h, icon } from "wb/dom";
import { gettext } from "wb/words";

export const STAY = 8000; // ms
const MOST = 3;

export class Toasts {
  #element;

  /** @param {HTMLElement} element a polite live region */
  constructor(element) {
    this.#element = element;
  }

  /**
   * @param {string} text
   * @param {{action?: HTMLElement, onGone?: () => void}} more `action`: a link or a button, which closes it too;
   *   `onGone`: it went by itself or was closed, and the action wasn't taken
   */
  show(text, { action, onGone } = {}) {
    const close = h("button", { type: "button", class: "quiet close", "aria-label": gettext("Close") }, icon("close"));
    const toast = h("div", { class: "toast" }, h("span", { class: "text", dir: "auto" }, text), action, close);
    let timer = null;
    const end = (taken) => {
      clearTimeout(timer);
      if (!toast.isConnected) return;
      toast.remove();
      if (!taken) onGone?.();
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => end(false), STAY);
    };
    // Who reads or reaches for it isn't hurried.
    for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, () => clearTimeout(timer));
    for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, wait);
    close.addEventListener("click", () => end(false));
    action?.addEventListener("click", () => end(true));
    this.#element.append(toast);
    while (this.#element.children.length > MOST) this.#element.firstElementChild.querySelector(".close").click();
    wait();
  }
}
