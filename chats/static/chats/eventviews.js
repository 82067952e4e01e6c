/**
 * How a handler's own events are shown: a view for each type that has one, and a readable list for all others.
 *
 * A site adds its own: `registerEventView("wire_name", (fields) => element)` in a module that its pages load (see
 * docs/handlers.md). Elements are built with `h`: the page's policy forbids markup.
 */
import { h } from "wb/dom";
import { gettext } from "wb/words";

const views = new Map();

/**
 * @param {string} type the event's wire name
 * @param {(fields: Record<string, unknown>) => Element | null} view null: shown as a list after all
 */
export function registerEventView(type, view) {
  views.set(type, view);
}

/** @returns {Element} what is shown for an event's fields, in its card */
export function eventView(type, fields) {
  return views.get(type)?.(fields) ?? fieldList(fields);
}

/** Names and values. @param {Record<string, Node>} [shownAs] what stands for the values of some fields */
export function fieldList(fields, shownAs = {}) {
  const names = Object.entries(fields).flatMap(([name, value]) => [
    h("dt", {}, inWords(name)),
    h("dd", { dir: "auto" }, Object.hasOwn(shownAs, name) ? shownAs[name] : shown(value)),
  ]);
  return h("dl", {}, ...names);
}

const shown = (value) => (isNested(value) ? h("pre", {}, inJson(value)) : String(value ?? "–"));
const isNested = (value) => value !== null && typeof value === "object";

/** JSON as people read it: strings bare, the rest indented. */
export function inJson(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** `progress_report` → `Progress report`. */
export function inWords(name) {
  const words = name.replaceAll(/[_.:-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

registerEventView("progress_report", (fields) => {
  const { percent } = fields;
  if (typeof percent !== "number") return null;
  const value = Math.max(0, Math.min(100, percent));
  const bar = h("progress", { max: 100, value, "aria-label": gettext("Progress") });
  return fieldList(fields, { percent: h("span", { class: "bar" }, String(percent), bar) });
});
