/**
 * What the reader keeps to use again, prompts or personas: their own ones listed, made, changed and deleted in one
 * dialog. What is shared with them, and the site's, they only use.
 */
import { Refused, SignedOut, Unreachable } from "wb/api";
import { h, icon } from "wb/dom";
import { KeptForm } from "wb/keptform";
import { styled } from "wb/stylesheet";
import { gettext, interpolate } from "wb/words";

const GONE = 404; // deleted elsewhere meanwhile

const WORDS = {
  prompts: () => ({
    title: gettext("Your prompts"),
    none: gettext("You have no prompts of your own yet."),
    make: gettext("New prompt…"),
    making: gettext("New prompt"),
    changing: gettext("Edit the prompt"),
  }),
  personas: () => ({
    title: gettext("Your personas"),
    none: gettext("You have no personas of your own yet."),
    make: gettext("New persona…"),
    making: gettext("New persona"),
    changing: gettext("Edit the persona"),
  }),
};

/**
 * Opens the dialog.
 * @param {"prompts" | "personas"} kind
 * @param {{api: object, onTrouble: (error: Error) => void, isNew?: boolean, onClose: () => void,
 *   onChanged?: (kept: object[]) => void}} page `isNew`: the form for a new one and nothing else; `onClose` has the focus
 *   to give; `onChanged` gets all that the reader may use after a change
 */
export async function openKept(kind, page) {
  await styled(import.meta.resolve("wb/composer.css"));
  if (document.querySelector("dialog[open]")) return;
  new KeptDialog(kind, page).open();
}

class KeptDialog {
  #all = null; // what the reader may use, once it is read

  constructor(kind, { api, onTrouble, onClose, onChanged = () => {}, isNew = false }) {
    Object.assign(this, { kind, api, onTrouble, onChanged, isNew });
    this.words = WORDS[kind]();
    this.title = h("h2", { id: "kept-title" });
    this.body = h("div", {});
    this.problem = h("p", { class: "problem", role: "alert", hidden: true });
    this.said = h("p", { class: "visually-hidden", role: "status" }); // the page's own is behind the dialog
    const close = h("button", { type: "button", class: "quiet close", "aria-label": gettext("Close") }, icon("close"));
    const header = h("header", {}, this.title, close);
    this.dialog = h("dialog", { class: "sheet keeping", "aria-labelledby": "kept-title" }, header, this.body, this.problem, this.said);
    close.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => {
      this.dialog.remove();
      document.activeElement?.blur(); // Chromium gives the box its focus back without its cursor: nothing can be typed
      onClose();
    });
  }

  open() {
    document.body.append(this.dialog);
    if (this.isNew) this.#showForm(null);
    this.dialog.showModal();
    if (this.isNew) this.form.focus();
    else this.#readAndList();
  }

  // The list

  async #readAndList(focusedId = null) {
    const isFirst = this.#all === null;
    if (isFirst) {
      this.#title(this.words.title);
      this.body.replaceChildren(h("p", { class: "faint" }, gettext("Loading…")));
    }
    try {
      this.#all = await this.api.allKept(this.kind);
      if (!isFirst) this.onChanged(this.#all);
      this.#list(focusedId);
    } catch (error) {
      this.#failed(error);
    }
  }

  #list(focusedId) {
    const own = this.#all.filter((kept) => kept.own);
    this.#title(this.words.title);
    const make = h("button", { type: "button", class: "make" }, icon("plus"), this.words.make);
    make.addEventListener("click", () => this.#showForm(null));
    const rows = own.map((kept) => this.#row(kept));
    const none = h("p", { class: "faint" }, this.words.none);
    this.body.replaceChildren(own.length > 0 ? h("ul", { class: "own" }, ...rows) : none, make);
    const at = own.findIndex(({ id }) => id === focusedId);
    (at === -1 ? make : rows[at].querySelector("button")).focus();
  }

  #row(kept) {
    const about = kept.description || kept.text || kept.prompt;
    const words = h("div", { class: "words" }, h("span", { class: "title" }, kept.name), h("span", { class: "about" }, about.slice(0, 120)));
    const button = (symbol, label, onClick) => {
      const attributes = { type: "button", class: `quiet ${symbol}`, "aria-label": `${label}: ${kept.name}`, title: label };
      const made = h("button", attributes, icon(symbol));
      made.addEventListener("click", onClick);
      return made;
    };
    words.dir = "auto";
    const row = h("li", {}, words);
    const edit = button("edit", gettext("Edit"), () => this.#showForm(kept));
    row.append(edit, button("delete", gettext("Delete"), () => this.#askToDelete(row, kept)));
    return row;
  }

  /** In the row's place: a deletion can't be taken back. */
  #askToDelete(row, kept) {
    const before = [...row.children];
    const question = h("span", { class: "words", dir: "auto" }, interpolate(gettext("Delete “%(name)s”?"), kept));
    const cancel = h("button", { type: "button", class: "quiet" }, gettext("Cancel"));
    const confirm = h("button", { type: "button", class: "delete" }, gettext("Delete"));
    const giveUp = () => {
      row.replaceChildren(...before);
      before.at(-1).focus();
    };
    cancel.addEventListener("click", giveUp);
    confirm.addEventListener("click", () => this.#delete(kept));
    for (const button of [cancel, confirm]) {
      button.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") return;
        event.preventDefault(); // the question goes, the dialog stays
        giveUp();
      });
    }
    row.replaceChildren(question, cancel, confirm);
    cancel.focus();
    this.said.textContent = question.textContent;
  }

  async #delete(kept) {
    this.problem.hidden = true;
    try {
      await this.api.deleteKept(this.kind, kept.id);
    } catch (error) {
      if (error.status !== GONE) return this.#failed(error);
    }
    this.said.textContent = interpolate(gettext("“%(title)s” was deleted."), { title: kept.name });
    return this.#readAndList();
  }

  // The form

  #showForm(kept) {
    this.#title(kept ? this.words.changing : this.words.making);
    this.form = new KeptForm(this.kind, kept, {
      onSave: (fields) => this.#save(kept, fields),
      onCancel: () => (this.isNew ? this.dialog.close() : this.#list(kept?.id)),
    });
    this.body.replaceChildren(this.form.element);
    this.form.focus();
  }

  async #save(kept, fields) {
    this.problem.hidden = true;
    try {
      const saved = await this.api.keep(this.kind, fields, kept?.id);
      this.form.forget();
      if (this.isNew) return this.dialog.close();
      this.said.textContent = gettext("Saved.");
      return await this.#readAndList(saved.id);
    } catch (error) {
      if (!this.form.showErrors(error.fields ?? {})) this.#failed(error);
      return undefined;
    }
  }

  #failed(error) {
    if (error instanceof SignedOut) {
      this.dialog.close(); // what is written is kept (keptform.js), and the page says how to go on
      return this.onTrouble(error);
    }
    const isAway = error instanceof Unreachable;
    if (!isAway && !(error instanceof Refused)) throw error;
    const reason = error.words || gettext("The server couldn’t do that.");
    this.problem.textContent = isAway ? gettext("The server can’t be reached. Try again in a moment.") : reason;
    this.problem.hidden = false;
    return undefined;
  }

  #title(words) {
    this.title.textContent = words;
    this.problem.hidden = true;
  }
}
