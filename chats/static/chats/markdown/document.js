/**
 * A Markdown text on the page, also while it is being written: `show` brings the element to the text.
 *
 * What is settled is never looked at again: only the text after it is lexed and compared. However a text came,
 * in the end its elements are the same. No markup is ever parsed, so nothing in a text can become more than text.
 */
import { h } from "wb/dom";
import { Blocks } from "wb/markdown/blocks";
import { healed } from "wb/markdown/heal";
import { settledOf, tokensOf } from "wb/markdown/lexer";

const CODE = /^(`{3,}|~{3,})[^`\n]*\n/;
const RUN = 6; // blocks: some screenfuls of paragraphs, a screenful of code and tables
const HEALING = new Set(["paragraph", "heading", "list", "blockquote", "table"]);

export class MarkdownDocument {
  #element;
  #onCitation;
  #context;
  #blocks;
  #text; // as it was given
  #tail; // what isn't settled of it, with its line ends made \n
  #topDepth; // of the first heading that is settled
  #hasDefinitions;
  #isWhole;

  /**
   * @param {Element} element to fill; its children are this document's alone
   * @param {{onCitation: (number: number, raw: string) => Node}} hooks what stands for a `[1]`
   */
  constructor(element, { onCitation }) {
    this.#element = element;
    this.#onCitation = onCitation;
    this.#begin();
  }

  #begin() {
    this.#element.replaceChildren();
    const nested = { onCitation: this.#onCitation, topDepth: 1, isLive: false };
    nested.nested = nested;
    this.#context = { onCitation: this.#onCitation, nested, topDepth: null, isLive: false };
    this.#blocks = new Blocks((block) => this.#append(block), this.#context);
    this.#text = "";
    this.#tail = "";
    this.#topDepth = null;
    this.#hasDefinitions = false;
    this.#isWhole = false;
  }

  /** @param {string} text all of it @param {boolean} isWhole whether nothing more comes */
  show(text, isWhole) {
    if (this.#isWhole && text === this.#text) return;
    if (this.#isWhole || !text.startsWith(this.#text)) this.#begin();
    this.#take(text.slice(this.#text.length));
    this.#text = text;
    this.#isWhole = isWhole;
    if (!isWhole) this.#context.isLive = this.#context.nested.isLive = true;
    if (isWhole) this.#finish();
    else if (!this.#growsCode()) this.#grow();
  }

  /** A `\r\n` may come in two pieces: its `\r` waits for the other half. */
  #take(added) {
    const before = this.#tail.endsWith("\r") ? "\r" : "";
    const tail = before ? this.#tail.slice(0, -1) : this.#tail;
    this.#tail = tail + (before + added).replace(/\r\n|\r(?!$)/g, "\n");
  }

  /** A definition of a link changes what came before it, so then all is made anew, once. */
  #finish() {
    this.#tail = this.#tail.replace(/\r$/, "\n");
    let tokens = tokensOf(this.#tail);
    if (this.#hasDefinitions || hasDefinitions(tokens)) {
      const text = this.#text;
      this.#begin();
      [this.#text, this.#isWhole] = [text, true];
      tokens = tokensOf(text.replace(/\r\n?/g, "\n"));
    }
    this.#put(shown(tokens), false);
  }

  #grow() {
    const tokens = tokensOf(this.#tail);
    const { count, length } = settledOf(tokens, this.#tail);
    this.#hasDefinitions ||= hasDefinitions(tokens);
    const settled = shown(tokens.slice(0, count));
    this.#put([...settled, ...open(tokens.slice(count))], true);
    this.#blocks.settle(settled.length);
    this.#topDepth ??= settled.find(isHeading)?.depth ?? null;
    this.#tail = this.#tail.slice(length);
  }

  #put(blocks, isOpen) {
    this.#context.topDepth = this.#topDepth ?? blocks.find(isHeading)?.depth ?? null;
    this.#blocks.update(blocks, isOpen);
    // What was taken for a block may be none after all.
    while (this.#element.lastElementChild?.firstChild === null) this.#element.lastElementChild.remove();
  }

  /** Blocks stand in runs, of which only the last is laid out and painted when the text grows (parts.css). */
  #append(block) {
    const last = this.#element.lastElementChild;
    if (last && last.childElementCount < RUN) last.append(block);
    else this.#element.append(h("div", { class: "run" }, block));
  }

  /** Code that goes on needs no lexing: all after its first line is its own, until a line that ends it. */
  #growsCode() {
    const fence = CODE.exec(this.#tail);
    if (!fence) return false;
    const [line, marks] = fence;
    const code = this.#tail.slice(line.length);
    const [mark, count] = [marks[0], marks.length];
    if (new RegExp(`^ {0,3}${mark}{${count},}[\`~]* *$`, "m").test(code)) return false;
    const lastLine = code.lastIndexOf("\n") + 1;
    const mayEnd = new RegExp(`^ {0,3}${mark}*$`).test(code.slice(lastLine)); // also where the last line is empty
    const text = mayEnd ? code.slice(0, Math.max(0, lastLine - 1)) : code;
    this.#blocks.update([{ type: "code", raw: this.#tail, lang: line.slice(count).trim(), text }], true);
    return true;
  }
}

const isHeading = ({ type }) => type === "heading";
const hasDefinitions = ({ links }) => Object.keys(links).length > 0;
const shown = (tokens) => tokens.filter(({ type }) => type !== "space" && type !== "def");

/** The blocks that may go on, the last of them as it will most likely read. */
function open(tokens) {
  const blocks = shown(tokens);
  const last = blocks.at(-1);
  if (last === undefined || !HEALING.has(last.type)) return blocks;
  const guess = healed(last.raw);
  return guess === last.raw ? blocks : [...blocks.slice(0, -1), ...shown(tokensOf(guess))];
}
