/**
 * Markdown → tokens: marked's lexer with formulas and citation markers, and with bounds on depth.
 *
 * Pure. Knows nothing of elements; what a token becomes is blocks.js's and inline.js's.
 */
import { Lexer, Marked, Tokenizer } from "marked";

const DEEPEST = 24; // levels of nesting; what is deeper is shown as it was written
const DEAREST = 400; // tries to find a closing * or _ in one run of text that come to nothing, before it's left alone

const textToken = (raw) => ({ type: "text", raw, text: raw, escaped: false });

class BoundedLexer extends Lexer {
  #blocks = 0;
  #inlines = 0;

  blockTokens(source, tokens = [], clipped = false) {
    if (this.#blocks === DEEPEST) {
      tokens.push({ type: "paragraph", raw: source, text: source, tokens: [textToken(source)] });
      return tokens;
    }
    this.#blocks += 1;
    try {
      return super.blockTokens(source, tokens, clipped);
    } finally {
      this.#blocks -= 1;
    }
  }

  inlineTokens(source, tokens = []) {
    if (this.#inlines === DEEPEST) {
      tokens.push(textToken(source));
      return tokens;
    }
    if (this.#inlines === 0) this.#beginRun();
    this.#inlines += 1;
    try {
      return super.inlineTokens(source, tokens);
    } finally {
      this.#inlines -= 1;
    }
  }

  /** Each run of text for itself: an `<a>` that is never closed would otherwise reach to the document's end. */
  #beginRun() {
    this.state.inLink = false;
    this.state.inRawBlock = false;
    this.failures = 0;
  }
}

// A formula has no empty line in it, so that an empty line always ends what stands before it.
const FORMULA = "((?:(?!\\n[ \\t]*\\n)[^]){1,4000}?)";
const IN_DOLLARS = ` {0,3}\\$\\$(?!\\s*\\$\\$)${FORMULA}\\$\\$[ \\t]*(?:\\n|$)`;
const IN_BRACKETS = ` {0,3}\\\\\\[(?!\\s*\\\\\\])${FORMULA}\\\\\\][ \\t]*(?:\\n|$)`;
const AT_START = new RegExp(`^(?:${IN_DOLLARS}|${IN_BRACKETS})`);
const AT_A_LINE = new RegExp(`^(?:${IN_DOLLARS}|${IN_BRACKETS})`, "m");

const mathBlock = {
  name: "mathBlock",
  level: "block",
  start(source) {
    const end = source.search(/\n[ \t]*\n/); // of the paragraph that it would interrupt
    return AT_A_LINE.exec(end === -1 ? source : source.slice(0, end))?.index;
  },
  tokenizer(source) {
    const found = AT_START.exec(source);
    return found ? { type: "mathBlock", raw: found[0], text: (found[1] ?? found[2]).trim() } : undefined;
  },
};

/** `$20 per month or 30$` is about money. */
const isMoney = (text) => /^\d[\d.,]*\s+[a-z]{3,}/i.test(text);

const MATH = [
  [/^\$\$((?:\\.|[^$\\\n])+?)\$\$/, true],
  [/^\$(?![\s$])((?:\\.|[^$\\\n])*?(?:\\.|[^$\\\s]))\$(?![\dA-Z_])/, false],
  [/^\\\(((?:\\[^)]|[^\\])+?)\\\)/, false],
  [/^\\\[((?:\\[^\]]|[^\\])+?)\\\]/, true],
];

const mathInline = {
  name: "mathInline",
  level: "inline",
  start: (source) => source.match(/\$|\\[([]/)?.index,
  tokenizer(source) {
    for (const [pattern, display] of MATH) {
      const found = pattern.exec(source);
      if (found && !isMoney(found[1])) return { type: "mathInline", raw: found[0], text: found[1].trim(), display };
    }
    return undefined;
  },
};

const citation = {
  name: "citation",
  level: "inline",
  start: (source) => source.match(/\[\d/)?.index,
  tokenizer(source) {
    const found = /^\[(\d{1,3})\](?!\()/.exec(source);
    if (!found || Object.hasOwn(this.lexer.tokens.links, found[1])) return undefined;
    return { type: "citation", raw: found[0], number: Number(found[1]) };
  },
};

const tokenizer = {
  emStrong(source, masked, before) {
    return this.lexer.failures > DEAREST ? undefined : countingFailures(this, "emStrong", source, masked, before);
  },
  del(source, masked, before) {
    return this.lexer.failures > DEAREST ? undefined : countingFailures(this, "del", source, masked, before);
  },
};

/** marked looks for a closing mark to the run's end for each opening one: thousands of unclosed ones take minutes. */
function countingFailures(self, method, source, ...rest) {
  const token = Tokenizer.prototype[method].call(self, source, ...rest);
  if (!token && /^[*_~]/.test(source)) self.lexer.failures += 1;
  return token;
}

const marked = new Marked({ gfm: true });
marked.use({ extensions: [mathBlock, mathInline, citation], tokenizer });

/** The block tokens of `source`, whose line ends have to be `\n`, with the `links` that it defines. */
export function tokensOf(source) {
  return new BoundedLexer(marked.defaults).lex(source);
}

/**
 * How much of what `tokens` (of `source`) say can't change any more, whatever is appended to `source`:
 * `{count, length}` of the leading tokens and of their text.
 *
 * An empty line ends every block but a list, a quoted or indented one, an open fence and open HTML. Which block
 * comes after is known once its first line is whole: then what stands before the empty line is settled.
 * Definitions of links are the exception, since they change what came before: see MarkdownDocument.
 */
export function settledOf(tokens, source) {
  let settled = { count: 0, length: 0 };
  let at = 0;
  for (let index = 0; index < tokens.length; index += 1) {
    const { type, raw } = tokens[index];
    if (!source.startsWith(raw, at)) return settled;
    const isBoundary = type !== "space" && index > 0 && /\n[ \t]*\n[ \t]*$/.test(source.slice(Math.max(0, at - 64), at));
    if (isBoundary && source.indexOf("\n", at) !== -1) settled = { count: index, length: at };
    at += raw.length;
  }
  return settled;
}
