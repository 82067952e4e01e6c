/**
 * The form for one prompt or persona. The server says what is wrong with a field, and it is told there. What is written
 * and not saved comes back when the form is opened again, for as long as the page lives.
 */
import { h } from "wb/dom";
import { gettext } from "wb/words";

const drafts = new Map(); // kind and id → field → what was written

/** @returns {{name: string, label: string, about: string, longest: number, rows?: number}[]} the API's fields */
function fieldsOf(kind) {
  const name = { name: "name", label: gettext("Name"), about: "", longest: 100 };
  const description = {
    name: "description", label: gettext("Description (optional)"), about: "", longest: 300,
  };
  const text = kind === "prompts"
    ? { name: "text", label: gettext("Text"), about: gettext("It goes into the message box, and nothing is sent.") }
    : { name: "prompt", label: gettext("Instructions"), about: gettext("Whoever answers is given them with each question.") };
  return [name, description, { ...text, longest: 100_000, rows: 7 }];
}

export class KeptForm {
  #fields = new Map(); // name → {box, wrong}
  #draft;

  /**
   * @param {"prompts" | "personas"} kind @param {object | null} kept null: a new one
   * @param {{onSave: (fields: Record<string, string>) => Promise<unknown>, onCancel: () => void}} listeners
   */
  constructor(kind, kept, { onSave, onCancel }) {
    this.#draft = `${kind} ${kept?.id ?? "new"}`;
    const values = drafts.get(this.#draft) ?? kept ?? {};
    const rows = fieldsOf(kind).map((field) => this.#row(field, values[field.name] ?? ""));
    const cancel = h("button", { type: "button", class: "quiet" }, gettext("Cancel"));
    this.save = h("button", { type: "submit", class: "primary" }, gettext("Save"));
    this.element = h("form", { novalidate: true }, ...rows, h("div", { class: "row" }, cancel, this.save));
    this.element.addEventListener("input", () => drafts.set(this.#draft, this.#values));
    cancel.addEventListener("click", () => {
      this.forget();
      onCancel();
    });
    this.element.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (this.save.disabled) return;
      this.save.disabled = true; // once is enough
      await onSave(this.#values);
      this.save.disabled = false;
    });
  }

  focus() {
    this.element.elements.name.focus();
  }

  /** What was written needn't be kept any more. */
  forget() {
    drafts.delete(this.#draft);
  }

  /** Says what is wrong where it is wrong; false where nothing of it is of a field here. @param {Record<string, string[]>} errors */
  showErrors(errors) {
    for (const [name, { box, wrong }] of this.#fields) {
      const words = errors[name] ?? [];
      wrong.textContent = words.join(" ");
      wrong.hidden = words.length === 0;
      if (wrong.hidden) box.removeAttribute("aria-invalid");
      else box.setAttribute("aria-invalid", "true");
    }
    const first = this.element.querySelector("[aria-invalid]");
    first?.focus();
    return first !== null;
  }

  get #values() {
    return Object.fromEntries([...this.#fields].map(([name, { box }]) => [name, box.value]));
  }

  #row({ name, label, about, longest, rows }, value) {
    const id = `kept-${name}`;
    const wrong = h("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
    const hint = about === "" ? null : h("p", { class: "about", id: `${id}-about` }, about);
    const attributes = {
      id, name, dir: "auto", maxlength: longest, autocomplete: "off",
      "aria-describedby": hint ? `${wrong.id} ${hint.id}` : wrong.id,
      "aria-required": name === "description" ? null : "true",
    };
    const box = rows ? h("textarea", { rows, ...attributes }) : h("input", { type: "text", ...attributes });
    box.value = value;
    this.#fields.set(name, { box, wrong });
    return h("div", { class: "field" }, h("label", { for: id }, label), box, wrong, hint);
  }
}
