/**
 * Block tokens → elements, one view for each block. A block that has got longer is brought up to date in place:
 * lists by their items, tables by their rows, text by its words, code by what was added.
 */
import { h } from "wb/dom";
import { CodeBlock } from "wb/markdown/code";
import { InlineRun, plain } from "wb/markdown/inline";
import { mathElement } from "wb/markdown/math";
import { gettext } from "wb/words";

const TOP = 3; // h1 is the page's, h2 the message's

/** The blocks of one container: a document's that aren't settled, a quotation's, a list item's. */
export class Blocks {
  #shown = []; // {key, type, view}
  #append;
  #context;

  /** @param {(element: Element) => void} append puts a new block after those that are there */
  constructor(append, context) {
    this.#append = append;
    this.#context = context;
  }

  /** @param {object[]} tokens without spaces and definitions @param {boolean} isOpen whether the last may go on */
  update(tokens, isOpen) {
    tokens.forEach((token, index) => this.#put(index, token, isOpen && index === tokens.length - 1));
    for (const { view } of this.#shown.splice(tokens.length)) view.element.remove();
  }

  /** The first `count` blocks are final: they stay, and aren't looked at again. */
  settle(count) {
    this.#shown.splice(0, count);
  }

  #put(index, token, isOpen) {
    const shown = this.#shown[index];
    const key = `${isOpen ? "open" : "whole"} ${token.raw}`;
    if (shown?.type === token.type && shown.key === key) return;
    if (shown?.type === token.type && shown.view.update(token, isOpen)) {
      shown.key = key;
      return;
    }
    const view = viewOf(token, isOpen, this.#context);
    if (shown) shown.view.element.replaceWith(view.element);
    else this.#append(view.element);
    this.#shown[index] = { key, type: token.type, view };
  }
}

const shownOf = (tokens) => tokens.filter(({ type }) => type !== "space" && type !== "def" && type !== "checkbox");

const VIEWS = new Map([
  ["paragraph", (token, _, context) => new Words("p", token, context)],
  ["text", (token, _, context) => new Words("span", token, context)],
  ["heading", (token, _, context) => new Heading(token, context)],
  ["code", (token, isOpen, context) => new CodeBlock(token, isOpen, context)],
  ["list", (token, _, context) => new List(token, context)],
  ["table", (token, _, context) => new Table(token, context)],
  ["blockquote", (token, _, context) => new Quotation(token, context)],
  ["hr", () => new Fixed(h("hr"))],
  ["mathBlock", (token) => new Fixed(h("p", { class: "formula" }, mathElement(token.text, token.raw.trim(), true)))],
]);

/** HTML, and what a later version of the lexer may know, is shown as it was written. */
function viewOf(token, isOpen, context) {
  const make = VIEWS.get(token.type);
  return make ? make(token, isOpen, context) : new Fixed(h("p", { class: "raw", dir: "auto" }, plain(token.raw).trimEnd()));
}

class Fixed {
  constructor(element) {
    this.element = element;
  }

  update() {
    return false;
  }
}

class Words {
  #run;

  constructor(tag, token, context) {
    this.element = h(tag, { dir: "auto" });
    this.#run = new InlineRun(this.element, context);
    this.#run.update(token.tokens ?? [token]);
  }

  update(token) {
    this.#run.update(token.tokens ?? [token]);
    return true;
  }
}

/** The document's first heading stands below the message's; the others follow it, so that no level is left out. */
class Heading extends Words {
  #context;

  constructor(token, context) {
    super(headingTag(token, context), token, context);
    this.#context = context;
  }

  update(token) {
    if (this.element.localName !== headingTag(token, this.#context)) return false;
    return super.update(token);
  }
}

function headingTag({ depth }, { topDepth }) {
  return `h${Math.min(6, Math.max(TOP, TOP + depth - topDepth))}`;
}

class Quotation {
  #blocks;

  constructor(token, context) {
    this.element = h("blockquote");
    this.#blocks = new Blocks((block) => this.element.append(block), context.nested);
    this.update(token, false);
  }

  update(token, isOpen) {
    this.#blocks.update(shownOf(token.tokens), isOpen);
    direct(this.element, token.raw);
    return true;
  }
}

class List {
  #items = []; // {key, blocks, element}
  #shape;
  #context;

  constructor(token, context) {
    const start = token.ordered && token.start !== 1 ? token.start : null;
    this.element = h(token.ordered ? "ol" : "ul", { start });
    this.#shape = shapeOf(token);
    this.#context = context.nested;
    this.update(token, false);
  }

  update(token, isOpen) {
    if (shapeOf(token) !== this.#shape) return false;
    token.items.forEach((item, index) => this.#put(index, item, isOpen && index === token.items.length - 1));
    for (const { element } of this.#items.splice(token.items.length)) element.remove();
    direct(this.element, token.raw);
    return true;
  }

  #put(index, item, isOpen) {
    const key = `${isOpen} ${item.raw.trimEnd()}`;
    const shown = this.#items[index];
    if (shown?.key === key) return;
    if (shown && shown.task === taskOf(item)) {
      shown.blocks.update(shownOf(item.tokens), isOpen);
      shown.key = key;
      return;
    }
    const made = this.#item(item, isOpen);
    if (shown) shown.element.replaceWith(made.element);
    else this.element.append(made.element);
    this.#items[index] = { key, ...made };
  }

  #item(item, isOpen) {
    const body = h("div", { class: "body" });
    const element = item.task ? h("li", { class: "task" }, checkbox(item.checked), body) : h("li", {}, body);
    const blocks = new Blocks((block) => body.append(block), this.#context);
    blocks.update(shownOf(item.tokens), isOpen);
    return { element, blocks, task: taskOf(item) };
  }
}

/** What surrounds a block's text (numbers, bars, columns) goes the way in which its first word is written. */
function direct(element, raw) {
  const letter = /\p{L}/u.exec(raw)?.[0];
  if (letter) element.dir = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC]/.test(letter) ? "rtl" : "ltr";
}

const shapeOf = ({ ordered, start, loose }) => `${ordered} ${start} ${loose}`;
const taskOf = ({ task, checked }) => (task ? `${checked}` : "none");

function checkbox(checked) {
  const label = checked ? gettext("Done") : gettext("To do");
  return h("input", { type: "checkbox", disabled: true, checked, "aria-label": label });
}

class Table {
  #rows = []; // {key, element}
  #shape;
  #body = h("tbody");
  #context;

  constructor(token, context) {
    this.#context = context;
    this.#shape = shapeOfTable(token);
    const head = h("thead", {}, this.#row(token.header, token.align, "th"));
    const label = gettext("Table");
    const table = h("table", {}, head, this.#body);
    this.element = h("div", { class: "table", tabindex: 0, role: "group", "aria-label": label }, table);
    this.update(token);
  }

  update(token) {
    if (shapeOfTable(token) !== this.#shape) return false;
    token.rows.forEach((cells, index) => this.#put(index, cells, token.align));
    for (const { element } of this.#rows.splice(token.rows.length)) element.remove();
    direct(this.element, token.raw);
    return true;
  }

  #put(index, cells, align) {
    const key = keyOfRow(cells);
    const shown = this.#rows[index];
    if (shown?.key === key) return;
    const element = this.#row(cells, align, "td");
    if (shown) shown.element.replaceWith(element);
    else this.#body.append(element);
    this.#rows[index] = { key, element };
  }

  #row(cells, align, tag) {
    return h("tr", {}, ...cells.map((cell, index) => this.#cell(cell, align[index], tag)));
  }

  #cell(cell, align, tag) {
    const element = h(tag, { class: align && `to-${align}`, scope: tag === "th" ? "col" : null, dir: "auto" });
    new InlineRun(element, this.#context).update(cell.tokens);
    return element;
  }
}

const keyOfRow = (cells) => cells.map(({ text }) => text).join("\u0000");
const shapeOfTable = ({ header, align }) => `${align.join()} ${keyOfRow(header)}`;
