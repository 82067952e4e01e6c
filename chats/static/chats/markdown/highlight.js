/**
 * Colours for code: highlight.js, loaded at the first block that can have them, works when the page has nothing
 * better to do, block after block; and at once where that spares the page another drawing.
 */
import { h } from "wb/dom";
import { optional } from "wb/optional";
import { withTurningShown } from "wb/markdown/turning";

const LONGEST = 40_000; // characters; more would be felt
const SHORT = 4_000; // characters, for a few ms
const waiting = [];
let isWorking = false;

const library = optional("highlight.js", async (name) => (await import(name)).default);
const whenIdle = globalThis.requestIdleCallback ?? ((work) => setTimeout(() => work({ timeRemaining: () => 8 }), 30));

/** Gives `show` the nodes of coloured code, now or later, unless nothing is known of the language. */
export function highlight(text, language, { show, isUrgent = false }) {
  if (language === "" || text.length > LONGEST) return;
  library.use((hljs) => {
    if (!hljs.getLanguage(language)) return;
    const colour = () => show(nodesOf(hljs.highlight(text, { language, ignoreIllegals: true }).value));
    if (isUrgent && text.length <= SHORT) return colour();
    waiting.push(colour);
    return work();
  });
}

function work() {
  if (isWorking) return;
  isWorking = true;
  whenIdle((deadline) => {
    do waiting.shift()();
    while (waiting.length > 0 && deadline.timeRemaining() > 4);
    isWorking = false;
    if (waiting.length > 0) work();
  }, { timeout: 2000 });
}

const CHARACTERS = { amp: "&", lt: "<", gt: ">", quot: '"', "#x27": "'" };
const text = (escaped) => escaped.replace(/&(amp|lt|gt|quot|#x27);/g, (_, name) => CHARACTERS[name]);

/** highlight.js gives markup of `<span class="…">` and `</span>` alone; the page's policy forbids to parse it. */
export function nodesOf(markup) {
  const root = document.createDocumentFragment();
  let parent = root;
  for (const piece of markup.split(/(<span class="[^"]*">|<\/span>)/)) {
    const name = /^<span class="([^"]*)">$/.exec(piece)?.[1];
    if (name !== undefined) parent = parent.appendChild(h("span", { class: name }));
    else if (piece === "</span>") parent = parent.parentNode ?? root;
    else parent.append(...withTurningShown(text(piece)));
  }
  return root.childNodes;
}
