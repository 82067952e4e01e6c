/**
 * Which view shows an item of a message (items.js): the registry of kinds.
 */
import { ToolCard, custom, file, image, reasoning, unknown } from "wb/cards";
import { SourceList } from "wb/sources";
import { AnswerText } from "wb/text";

/**
 * @typedef {object} Context
 * @property {(number: number, raw: string) => Node} onCitation what stands for a `[1]` in a text
 * @property {((fileId: string) => string) | null} fileAddress where a stored file can be had, if this site has a door
 */

class TextView {
  #text;

  constructor(item, { onCitation }) {
    this.#text = new AnswerText("part text", onCitation);
    this.element = this.#text.element;
    this.update(item);
  }

  update({ part, ended }) {
    this.#text.show(part.content, ended);
    return true;
  }
}

const KINDS = new Map([
  ["text", (item, context) => new TextView(item, context)],
  ["reasoning", reasoning],
  ["tool-call", (item) => new ToolCard(item)],
  ["tool-return", (item) => new ToolCard(item)],
  ["sources", (item) => new SourceList(item)],
  ["image", image],
  ["file", file],
  ["custom", custom],
]);

/**
 * @param {import("wb/items").Item} item @param {Context} context
 * @returns {{element: Element, update: (item: import("wb/items").Item) => boolean}}
 */
export function viewOf(item, context) {
  return (KINDS.get(item.kind) ?? unknown)(item, context);
}

/** Whether an item has no news against what was shown of it before. Sources are compared by their list itself. */
export function isSame(before, item) {
  if (before.kind !== item.kind || item.kind === "sources") return false;
  return before.part === item.part && before.returned === item.returned && before.ended === item.ended;
}
