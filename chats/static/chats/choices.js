/**
 * Who answers, by which model, as which persona and with which options. Remembered with the chat: task and model by
 * every start, the rest in the chat's metadata, so that another device has it too.
 */
import { h } from "wb/dom";
import { gettext } from "wb/words";

const KEY = "choices"; // in a chat's metadata

export class Choices {
  #form;
  #handlers;
  #options = {}; // task → what the reader has set for it
  #saved = "";

  /**
   * @param {HTMLFormElement} form with selects task, model and persona, and a button .options
   * @param {{handlers: object[], models: object[], personas: object[], defaultModel: string}} offered
   * @param {{onChange: () => void, api: object, onTrouble: (error: Error) => void}} page
   */
  constructor(form, { handlers, models, personas, defaultModel }, { onChange, api, onTrouble }) {
    this.#form = form;
    this.#handlers = new Map(handlers.map((handler) => [handler.name, handler]));
    this.models = new Map(models.map((model) => [model.id, model]));
    this.defaultModel = defaultModel;
    const { task, model, persona } = form.elements;
    this.task = task;
    this.model = model;
    this.persona = persona;
    this.optionsButton = form.querySelector("button.options");
    this.defaultTask = task.value;
    this.#offerPersonas(personas);
    task.addEventListener("change", () => this.#taskChanged(onChange));
    for (const select of [model, persona]) select.addEventListener("change", onChange);
    this.optionsButton.addEventListener("click", () => this.#editOptions(onChange));
    form.querySelector("button.personas")?.addEventListener("click", (event) => {
      this.#editPersonas(event.currentTarget, { api, onTrouble, onChange });
    });
  }

  /** Takes a chat's choices; the defaults for a new one (null). */
  open(chat) {
    const { persona_id: persona, options } = chat?.metadata?.[KEY] ?? {};
    this.#options = structuredClone(options ?? {});
    this.#select(this.task, chat?.task ?? "", this.defaultTask);
    this.#select(this.persona, persona ?? "", "");
    this.#showModels(chat?.model_id ?? "");
    this.#showOptions();
    this.#saved = JSON.stringify(this.#kept);
  }

  /** The fields of a start. */
  get fields() {
    const fields = { task: this.task.value };
    if (!this.model.hidden || this.model.options.length === 1) fields.model_id = this.model.value;
    if (this.persona.value !== "") fields.persona_id = this.persona.value;
    const options = this.#options[this.task.value];
    if (options && Object.keys(options).length > 0) fields.options = options;
    return fields;
  }

  /** The handler that is chosen, as the API describes it. */
  get handler() {
    return this.#handlers.get(this.task.value);
  }

  /** Whether the model that is chosen sees images, as far as is known. */
  get readsImages() {
    const accepted = this.models.get(this.fields.model_id)?.accepts;
    return accepted === undefined || accepted.includes("image");
  }

  /** The metadata to store with the chat, once; null when it is stored already. */
  takeUnsaved() {
    const kept = JSON.stringify(this.#kept);
    if (kept === this.#saved) return null;
    this.#saved = kept;
    return { [KEY]: this.#kept };
  }

  get #kept() {
    const options = Object.entries(this.#options).filter(([, chosen]) => Object.keys(chosen).length > 0);
    return { persona_id: this.persona.value || null, options: Object.fromEntries(options) };
  }

  #select(select, value, otherwise) {
    select.value = value;
    if (select.selectedOptions[0]?.disabled !== false) select.value = otherwise;
  }

  #taskChanged(onChange) {
    this.#showModels(this.model.value);
    this.#showOptions();
    onChange();
  }

  #showModels(wanted) {
    const ids = this.handler?.models ?? [];
    this.model.replaceChildren(...ids.map((id) => h("option", { value: id }, this.models.get(id)?.label ?? id)));
    this.model.hidden = ids.length < 2;
    const chosen = [wanted, this.defaultModel, ids[0]].find((id) => ids.includes(id));
    if (chosen !== undefined) this.model.value = chosen;
  }

  #showOptions() {
    const properties = Object.keys(this.handler?.options_schema?.properties ?? {});
    this.optionsButton.hidden = properties.length === 0;
    const set = Object.keys(this.#options[this.task.value] ?? {}).length > 0;
    this.optionsButton.classList.toggle("set", set);
    this.optionsButton.title = set ? gettext("Options (some are set)") : gettext("Options");
  }

  #offerPersonas(personas) {
    const [none] = this.persona.options;
    const options = personas.map(({ id, name, description }) => h("option", { value: id, title: description }, name));
    this.persona.replaceChildren(none, ...options);
    this.persona.hidden = personas.length === 0;
  }

  async #editPersonas(button, { api, onTrouble, onChange }) {
    const { openKept } = await import("wb/kept");
    openKept("personas", {
      api, onTrouble,
      onClose: () => button.focus(),
      onChanged: (personas) => {
        const chosen = this.persona.value;
        this.#offerPersonas(personas);
        this.#select(this.persona, chosen, "");
        onChange();
      },
    });
  }

  async #editOptions(onChange) {
    const { askForOptions } = await import("wb/optionsform");
    const task = this.task.value;
    const chosen = await askForOptions(this.handler, this.#options[task] ?? {});
    this.optionsButton.focus();
    if (chosen === null) return;
    this.#options[task] = chosen;
    this.#showOptions();
    onChange();
  }
}
