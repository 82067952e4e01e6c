/**
 * A handler's options as a form in a dialog, made from the JSON Schema of its `UserOptions`.
 */
import { h } from "wb/dom";
import { gettext, interpolate } from "wb/words";

/** A field's schema without the `null` that an optional field may be, and with what it refers to put in. */
function plain(schema, definitions) {
  const choices = schema.anyOf?.filter((choice) => choice.type !== "null") ?? [];
  const inner = choices.length === 1 ? choices[0] : (schema.allOf?.[0] ?? schema);
  const referred = inner.$ref ? definitions[inner.$ref.split("/").at(-1)] : {};
  return { ...referred, ...inner, ...schema };
}

function numberBox(schema, value) {
  const step = schema.type === "integer" ? 1 : "any";
  const min = schema.minimum ?? schema.exclusiveMinimum;
  const max = schema.maximum ?? schema.exclusiveMaximum;
  return h("input", { type: "number", step, min, max, value, placeholder: schema.default ?? gettext("default") });
}

function textBox(schema, value) {
  const isLong = (schema.maxLength ?? 0) > 200;
  const shared = { maxlength: schema.maxLength, minlength: schema.minLength, dir: "auto" };
  if (!isLong) return h("input", { type: "text", pattern: schema.pattern, value, ...shared });
  const box = h("textarea", { rows: 4, ...shared });
  box.value = value ?? "";
  return box;
}

function choiceBox(values, value) {
  const none = h("option", { value: "" }, gettext("default"));
  const options = values.map((each) => h("option", { value: JSON.stringify(each) }, String(each)));
  const select = h("select", {}, none, ...options);
  select.value = value === undefined ? "" : JSON.stringify(value);
  return select;
}

/** @returns {{box: HTMLElement, read: () => unknown} | null} `read` gives undefined for what isn't set */
function control(schema, value) {
  const type = schema.type ?? typeof schema.default;
  const values = schema.enum ?? (type === "boolean" ? [true, false] : null);
  if (values) {
    const box = choiceBox(values, value);
    return { box, read: () => (box.value === "" ? undefined : JSON.parse(box.value)) };
  }
  if (type === "number" || type === "integer") {
    const box = numberBox(schema, value);
    return { box, read: () => (box.value === "" ? undefined : box.valueAsNumber) };
  }
  if (type !== "string") return null; // lists and objects have no field here; the API takes them
  const box = textBox(schema, value);
  return { box, read: () => box.value || undefined };
}

function row(name, schema, { box }) {
  box.id = `option-${name}`;
  const about = schema.description && h("p", { class: "about", id: `${box.id}-about` }, schema.description);
  if (about) box.setAttribute("aria-describedby", about.id);
  return h("div", { class: "field" }, h("label", { for: box.id }, schema.title ?? name), box, about);
}

/**
 * Asks; resolves to what is set, or to null when the reader changed nothing.
 * @param {{label: string, options_schema: object}} handler @param {Record<string, unknown>} chosen
 * @returns {Promise<Record<string, unknown> | null>}
 */
export function askForOptions(handler, chosen) {
  const { properties, $defs: definitions = {} } = handler.options_schema;
  const controls = new Map();
  const rows = [];
  for (const [name, raw] of Object.entries(properties)) {
    const schema = plain(raw, definitions);
    const made = control(schema, chosen[name]);
    if (made === null) continue;
    controls.set(name, made);
    rows.push(row(name, schema, made));
  }
  const read = () => {
    const values = [...controls].map(([name, each]) => [name, each.read()]);
    return Object.fromEntries(values.filter(([, value]) => value !== undefined));
  };
  return ask(interpolate(gettext("Options of %(handler)s"), { handler: handler.label }), rows, read);
}

function ask(title, rows, read) {
  const cancel = h("button", { type: "button", class: "quiet" }, gettext("Cancel"));
  const clear = h("button", { type: "button", class: "quiet" }, gettext("Back to defaults"));
  const save = h("button", { type: "submit", class: "primary" }, gettext("Save"));
  const form = h("form", { method: "dialog" }, h("h2", { id: "options-title" }, title), ...rows);
  form.append(h("div", { class: "row" }, clear, cancel, save));
  const dialog = h("dialog", { class: "sheet options", "aria-labelledby": "options-title" }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let result = null;
    form.addEventListener("submit", () => (result = read()));
    cancel.addEventListener("click", () => dialog.close());
    clear.addEventListener("click", () => {
      result = {};
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    dialog.showModal();
  });
}
