/**
 * The menu of prompts above the box: found by typing, chosen with the arrows and Enter. Fills the box, never sends. Below
 * them are the ways to make one, and to change those of one's own (kept.js).
 *
 * It opens by its button, or by a `/` in the empty box. What is typed then is nothing but text again as soon as no
 * prompt is meant by it: `/etc/hosts` can be written as if there were no menu.
 */
import { h, icon } from "wb/dom";
import { styled } from "wb/stylesheet";
import { gettext, interpolate, ngettext } from "wb/words";

let open = null; // the menu that is open, if any

/**
 * Opens the menu, or closes it where it is open.
 * @param {HTMLFormElement} form @param {object} parts `composer`; `asTyped`: by a `/` in the box; `api`; `announce`;
 *   `onTrouble`
 */
export async function offerPrompts(form, parts) {
  await styled(import.meta.resolve("wb/composer.css"));
  const before = open;
  before?.close({ focus: true });
  // The button closes what it has opened; what a `/` is about to open gives way to it.
  if (before !== null && (parts.asTyped || !before.asTyped)) return undefined;
  const box = form.elements.content;
  if (parts.asTyped && (!box.value.startsWith("/") || document.activeElement !== box)) return undefined;
  open = new PromptMenu(form, parts);
  return open.load();
}

class PromptMenu {
  #prompts = null; // until they are read
  #shown = [];
  #at = 0;

  constructor(form, { composer, asTyped, api, announce, onTrouble }) {
    Object.assign(this, { form, composer, asTyped, api, announce, onTrouble });
    this.box = form.elements.content;
    this.list = h("ul", { role: "listbox", id: "prompt-list", "aria-label": gettext("Prompts") });
    this.none = h("p", { class: "none" }, gettext("Loading…"));
    this.input = h("input", {
      type: "text", role: "combobox", autocomplete: "off", maxlength: 100, dir: "auto", placeholder: gettext("Find a prompt"),
      "aria-label": gettext("Find a prompt"), "aria-autocomplete": "list", "aria-expanded": "true",
      "aria-controls": this.list.id,
    });
    const make = this.#way("plus", gettext("New prompt…"), { isNew: true });
    this.own = this.#way("edit", gettext("Your prompts…"), { isNew: false });
    this.own.hidden = true;
    const find = h("div", { class: "find" }, icon("search"), this.input);
    this.element = h("div", { class: "prompt-menu" }, find, this.list, this.none, h("div", { class: "ways" }, make, this.own));
    if (asTyped) this.input.value = this.box.value.slice(1);
    this.input.addEventListener("input", () => this.#filter());
    this.element.addEventListener("keydown", (event) => this.#pressed(event));
    this.element.addEventListener("mousedown", (event) => event.target === this.input || event.preventDefault());
    this.list.addEventListener("click", ({ target }) => this.#picked(target.closest("[role=option]")));
    this.element.addEventListener("focusout", ({ relatedTarget }) => {
      if (!this.element.contains(relatedTarget)) this.close({ focus: false });
    });
    form.append(this.element);
    this.input.focus();
  }

  async load() {
    try {
      const prompts = await this.api.allKept("prompts");
      if (open !== this) return;
      this.#prompts = prompts;
      this.own.hidden = !prompts.some(({ own }) => own);
      this.#filter();
    } catch (error) {
      this.close({ focus: true });
      this.onTrouble(error);
    }
  }

  /** Goes away. What was typed to find a prompt goes back into the box, where it had begun there. */
  close({ focus }) {
    if (open !== this) return;
    open = null;
    const typed = this.input.value;
    this.element.remove();
    if (this.asTyped && typed !== "" && this.box.value.startsWith("/")) {
      this.box.value = `/${typed}`;
      this.box.dispatchEvent(new Event("input"));
    }
    if (focus) this.composer.focus();
  }

  #filter() {
    if (this.#prompts === null) return;
    const wanted = this.input.value.toLocaleLowerCase();
    const isMeant = ({ name, description }) => `${name}\n${description}`.toLocaleLowerCase().includes(wanted.trim());
    this.#shown = this.#prompts.filter(isMeant);
    // A `/` that begins a text: the reader goes on with it where he was.
    const isText = this.#shown.length === 0 || wanted.startsWith(" ");
    if (this.asTyped && isText) return this.close({ focus: true });
    this.list.replaceChildren(...this.#shown.map((prompt, index) => optionOf(prompt, index)));
    this.list.hidden = this.#shown.length === 0;
    this.none.hidden = !this.list.hidden;
    this.none.textContent = this.#prompts.length === 0 ? gettext("You have no prompts yet.") : gettext("No prompt is called so.");
    const count = this.#shown.length;
    this.announce(count === 0 ? this.none.textContent : interpolate(ngettext("%(count)s prompt", "%(count)s prompts", count), { count }));
    this.#goTo(0);
    return undefined;
  }

  #goTo(place) {
    const { children } = this.list;
    children[this.#at]?.setAttribute("aria-selected", "false");
    this.#at = children.length === 0 ? 0 : (place + children.length) % children.length;
    const option = children[this.#at];
    if (option === undefined) return this.input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    return this.input.setAttribute("aria-activedescendant", option.id);
  }

  #pressed(event) {
    if (event.isComposing || (event.target !== this.input && event.key !== "Escape")) return;
    const run = this.#doings(event);
    if (run === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // Enter would send, Esc would stop an answer
    run();
  }

  #doings({ key }) {
    const isEmpty = this.input.value === "";
    return {
      ArrowDown: () => this.#goTo(this.#at + 1),
      ArrowUp: () => this.#goTo(this.#at - 1),
      Enter: () => this.#picked(this.list.children[this.#at]),
      Escape: () => this.close({ focus: true }),
      Backspace: isEmpty && this.asTyped ? () => this.#takeBackSlash() : undefined,
    }[key];
  }

  #takeBackSlash() {
    this.composer.fill("");
    this.close({ focus: true });
  }

  #picked(option) {
    if (!option) return;
    const { text } = this.#shown[[...this.list.children].indexOf(option)];
    this.#leave();
    this.composer.insert(text);
  }

  /** What was typed was meant for the menu, and goes with it. */
  #leave() {
    this.input.value = "";
    if (this.asTyped) this.composer.fill("");
    this.close({ focus: true });
  }

  #way(symbol, label, { isNew }) {
    const button = h("button", { type: "button", class: "quiet" }, icon(symbol), label);
    button.addEventListener("click", async () => {
      const { api, composer, onTrouble } = this;
      this.#leave();
      const { openKept } = await import("wb/kept");
      openKept("prompts", { api, onTrouble, isNew, onClose: () => composer.focus() });
    });
    return button;
  }
}

function optionOf({ name, description, text }, index) {
  return h(
    "li",
    { role: "option", id: `prompt-${index}`, "aria-selected": "false", dir: "auto" },
    h("span", { class: "title" }, name),
    h("span", { class: "about" }, description || text.slice(0, 120)),
  );
}
