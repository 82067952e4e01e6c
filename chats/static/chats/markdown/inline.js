/**
 * A run of inline tokens → nodes, one for each token. A run that goes on keeps the nodes that it has.
 */
import { h, icon } from "wb/dom";
import { decoded } from "wb/markdown/entities";
import { hostBehind, imageAddress, linkAddress } from "wb/markdown/links";
import { mathElement } from "wb/markdown/math";
import { withoutTurning, withTurningShown } from "wb/markdown/turning";

/** Elements that models write as HTML. They get no attributes. */
const TAGS = new Set(["sub", "sup", "kbd", "mark", "small", "s", "u", "b", "i", "em", "strong", "del", "ins"]);
const OPENING = /^<([a-z]+)>$/;

/** Text as it is read: character references resolved, and no mark that turns its order round. */
export const plain = (text) => withoutTurning(decoded(text));

export class InlineRun {
  #parent;
  #context;
  #keys = [];

  /** @param {Element} parent whose children are this run's alone @param {object} context see MarkdownDocument */
  constructor(parent, context) {
    this.#parent = parent;
    this.#context = context;
  }

  update(tokens) {
    const fresh = withTags(tokens);
    const keys = fresh.map(keyOf);
    let kept = 0;
    while (kept < keys.length && keys[kept] === this.#keys[kept]) kept += 1;
    if (this.#grows(kept, fresh[kept])) kept += 1;
    while (this.#parent.childNodes.length > kept) this.#parent.lastChild.remove();
    this.#parent.append(...nodesOf(fresh.slice(kept), this.#context));
    this.#keys = keys;
  }

  /** The text at the end that has got longer stays the node that it is: a selection in it stays too. */
  #grows(index, token) {
    const node = this.#parent.childNodes[index];
    if (token?.type !== "text" || !this.#keys[index]?.startsWith("text ") || node === undefined) return false;
    const text = plain(token.text);
    if (text.startsWith(node.data)) node.appendData(text.slice(node.data.length));
    else node.data = text;
    return true;
  }
}

const keyOf = ({ type, raw }) => `${type} ${raw}`;

/** `<sub>`, its content and `</sub>` as one token; a tag without its other half stays text. */
function withTags(tokens) {
  if (!tokens.some(({ type }) => type === "html")) return tokens;
  const result = [];
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index];
    const tag = token.type === "html" && OPENING.exec(token.raw)?.[1];
    const end = tag && TAGS.has(tag) ? tokens.findIndex((other, at) => at > index && other.raw === `</${tag}>`) : -1;
    if (end === -1) {
      result.push(token);
      continue;
    }
    const raw = tokens.slice(index, end + 1).map((each) => each.raw).join("");
    result.push({ type: "tag", tag, raw, tokens: tokens.slice(index + 1, end) });
    index = end;
  }
  return result;
}

const nodesOf = (tokens, context) => tokens.map((token) => nodeOf(token, context));

function nodeOf(token, context) {
  const make = KINDS.get(token.type);
  return make ? make(token, context) : document.createTextNode(plain(token.raw));
}

const wrapped = (tag) => (token, context) => h(tag, {}, ...nodesOf(withTags(token.tokens), context));

const KINDS = new Map([
  ["text", (token) => document.createTextNode(plain(token.text))],
  ["escape", (token) => document.createTextNode(token.text)],
  ["strong", wrapped("strong")],
  ["em", wrapped("em")],
  ["del", wrapped("del")],
  ["tag", (token, context) => wrapped(token.tag)(token, context)],
  ["br", () => h("br")],
  ["codespan", (token) => h("code", { dir: "ltr" }, ...withTurningShown(token.text))],
  ["html", (token) => (/^<br\s*\/?>$/i.test(token.raw) ? h("br") : document.createTextNode(plain(token.raw)))],
  ["mathInline", (token) => mathElement(token.text, token.raw, token.display)],
  ["citation", ({ number, raw }, { onCitation }) => onCitation(number, raw)],
  ["link", link],
  ["image", image],
]);

function link(token, context) {
  const nodes = nodesOf(withTags(token.tokens), context);
  const address = linkAddress(token.href);
  if (address === null) return h("span", {}, ...nodes);
  const element = h("a", outward(address, token.title), ...nodes);
  const host = hostBehind(element.textContent, address);
  if (host !== null) element.append(h("span", { class: "host" }, ` (${host})`));
  return element;
}

function image(token) {
  const words = plain(token.text);
  const own = imageAddress(token.href);
  if (own !== null) return h("img", { src: own, alt: words, title: token.title && plain(token.title), loading: "lazy" });
  const address = linkAddress(token.href);
  if (address === null) return document.createTextNode(words);
  return h("a", { ...outward(address, token.title), class: "elsewhere" }, icon("image"), words || new URL(address).host);
}

function outward(address, title) {
  const shown = title ? plain(title) : null;
  return { href: address, title: shown, target: "_blank", rel: "noopener noreferrer nofollow", dir: "auto" };
}
