/**
 * The text of an answer: Markdown once what renders it is there, before that (and without it) as it was written.
 *
 * What renders Markdown is loaded with the page where the page brings an answer, else with the first one.
 */
import { h } from "wb/dom";
import { isInstalled } from "wb/optional";

const RETRY = 2000; // ms after a failed load until it is tried again
const BLOCK = 1000; // characters after which plain text goes on in a new block, at the next line's end

let markdown = null; // the module, once it's there
let loading = null;

/** Loads what renders Markdown, once. Never rejects: without it, texts are shown as they are. */
export function loadMarkdown() {
  loading ??= isInstalled("marked") ? load() : Promise.resolve();
  return loading;
}

async function load() {
  try {
    markdown = await import("wb/markdown/document");
  } catch (error) {
    console.warn(`Answers are shown as plain text: ${error.message}`);
    setTimeout(() => (loading = null), RETRY); // the server may be away: the next text asks again
  }
}

if (globalThis.document?.querySelector("[data-markdown]")) await loadMarkdown();

/** Text that may go on. `element` is its own. */
export class AnswerText {
  #onCitation;
  #document = null;
  #now = null; // what is shown: {text, isWhole}

  /** @param {string} className @param {(number: number, raw: string) => Node} onCitation what stands for a `[1]` */
  constructor(className, onCitation) {
    this.element = h("div", { class: className });
    this.#onCitation = onCitation;
  }

  /** @param {string} text all of it @param {boolean} isWhole whether nothing more comes */
  show(text, isWhole) {
    const before = this.#now?.text ?? "";
    if (this.#now && before === text && this.#now.isWhole === isWhole) return undefined;
    this.#now = { text, isWhole };
    if (markdown !== null) return this.#render();
    if (text.startsWith(before)) appendText(this.element, text.slice(before.length));
    else this.#startOver(text);
    return void loadMarkdown().then(() => markdown !== null && this.#render());
  }

  #startOver(text) {
    this.element.replaceChildren();
    appendText(this.element, text);
  }

  #render() {
    this.#document ??= new markdown.MarkdownDocument(this.element, { onCitation: this.#onCitation });
    this.element.classList.add("prose");
    this.#document.show(this.#now.text, this.#now.isWhole);
  }
}

/** Text in blocks, so that a long one's layout isn't done over for each word. Cut the same however it came. */
function appendText(element, text) {
  let rest = text;
  while (rest !== "") {
    const block = element.lastElementChild ?? element.appendChild(newBlock());
    const cut = rest.indexOf("\n", Math.max(0, BLOCK - block.firstChild.length));
    block.firstChild.appendData(cut === -1 ? rest : rest.slice(0, cut));
    if (cut === -1) return;
    element.append(newBlock());
    rest = rest.slice(cut + 1);
  }
}

const newBlock = () => h("div", { class: "block", dir: "auto" }, document.createTextNode(""));
