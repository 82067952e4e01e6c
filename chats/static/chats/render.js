/**
 * Parts → DOM, one small function per kind. templates/chats/parts/<kind>.html say the same without JavaScript.
 *
 * A part's element can be brought up to date by `updatePart`: text grows in place, anything else is made anew.
 */
import { h, icon } from "wb/dom";

const BLOCK = 1000; // characters after which text goes on in a new block, at the next line's end

/** Text in blocks, so that a long answer's layout isn't done over for each word. Cut the same however it came. */
export function appendText(element, text) {
  let rest = text;
  while (rest !== "") {
    const block = element.lastElementChild ?? element.appendChild(newBlock());
    const cut = endOfBlock(block.firstChild.length, rest);
    block.firstChild.appendData(cut === -1 ? rest : rest.slice(0, cut));
    if (cut === -1) return;
    element.append(newBlock());
    rest = rest.slice(cut + 1);
  }
}

const newBlock = () => h("div", { class: "block", dir: "auto" }, document.createTextNode(""));

/** Where in `text` the first line's end stands after which a block of `length` is full; -1 for nowhere. */
function endOfBlock(length, text) {
  return text.indexOf("\n", Math.max(0, BLOCK - length));
}

function textElement(className, content) {
  const element = h("div", { class: className });
  appendText(element, content);
  return element;
}

/** JSON as people read it: strings bare, the rest indented. */
export function inJson(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** `progress_report` → `Progress report`. */
export function inWords(name) {
  const words = name.replaceAll(/[_.:-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A source's title, as a link where its pointer is an address of the web and of nothing else. */
function sourceTitle(title, pointer) {
  if (!/^https?:\/\//i.test(pointer ?? "")) return h("span", { class: "title", dir: "auto" }, title);
  return h("a", { class: "title", dir: "auto", href: pointer, target: "_blank", rel: "noopener noreferrer" }, title);
}

const listed = (...facts) => facts.filter((fact) => fact !== null && fact !== undefined && fact !== "").join(" · ");

const card = (name, ...children) => h("div", { class: `part card ${name}` }, ...children);

function folded(name, summary, ...body) {
  return h(
    "details",
    { class: `part card ${name}` },
    h("summary", {}, ...summary, icon("chevron")),
    h("div", { class: "body" }, ...body),
  );
}

function labelled(label, value) {
  return [h("p", { class: "label" }, label), h("pre", { tabindex: 0, role: "group", "aria-label": label }, inJson(value))];
}

function toolElement({ part, returned, ended }) {
  const call = part.kind === "tool-call" ? part : null;
  const state = returned ? "done" : ended ? "no result" : "running";
  const element = folded(
    "tool",
    [icon("tool"), h("span", { class: "name" }, part.tool_name), h("span", { class: "state" }, state)],
    ...(call ? labelled("Arguments", call.tool_args) : []),
    ...(returned ? labelled("Result", returned.result) : []),
  );
  element.dataset.state = state;
  return element;
}

function documentElement({ part }) {
  const pages = part.page_count && `${part.page_count} ${part.page_count === 1 ? "page" : "pages"}`;
  const words = part.word_count && `${part.word_count} words`;
  const facts = listed(part.pointer, part.mime_type, pages, words);
  return card("source", icon("document"), sourceTitle(part.title, part.pointer), h("span", { class: "facts" }, facts));
}

function citationElement({ part }) {
  const page = part.page && `p. ${part.page}`;
  return card(
    "citation",
    part.reference_number && h("span", { class: "number" }, String(part.reference_number)),
    h("blockquote", { dir: "auto" }, part.content),
    h(
      "p",
      { class: "facts" },
      sourceTitle(part.document_title || part.document_id, part.document_pointer),
      ` ${listed(page, part.section)}`,
    ),
  );
}

function reasoningElement({ part }) {
  if (part.redacted !== undefined && part.content === "") {
    return card("reasoning", icon("thought"), h("span", {}, "Reasoning that the model's provider keeps to itself"));
  }
  return folded("reasoning", [icon("thought"), h("span", {}, "Reasoning")], textElement("text", part.content));
}

function fileElement({ part }) {
  const facts = listed(part.mime_type, part.size && `${part.size} bytes`);
  return card("file", icon("document"), h("span", { class: "title" }, part.name), h("span", { class: "facts" }, facts));
}

function imageElement({ part }) {
  const label = part.alt || "No description";
  return card("image", icon("image"), h("span", { class: "title" }, label), h("span", { class: "facts" }, part.mime_type));
}

function customElement({ part }) {
  const names = Object.entries(part.fields).flatMap(([name, value]) => [
    h("dt", {}, inWords(name)),
    h("dd", { dir: "auto" }, value !== null && typeof value === "object" ? h("pre", {}, inJson(value)) : String(value ?? "–")),
  ]);
  return card("custom", h("p", { class: "label" }, inWords(part.type)), h("dl", {}, ...names));
}

const KINDS = new Map([
  ["text", ({ part }) => textElement("part text", part.content)],
  ["reasoning", reasoningElement],
  ["tool-call", toolElement],
  ["tool-return", toolElement],
  ["document", documentElement],
  ["citation", citationElement],
  ["image", imageElement],
  ["file", fileElement],
  ["custom", customElement],
]);

/** What is shown for `parts`, in order: a tool's return goes into its call's card. */
export function itemsOf(parts, ended) {
  const returns = new Map(parts.filter((part) => part.kind === "tool-return").map((part) => [part.tool_id, part]));
  const called = new Set(parts.filter((part) => part.kind === "tool-call").map((part) => part.tool_id));
  return parts
    .filter((part) => part.kind !== "tool-return" || !called.has(part.tool_id))
    .filter((part) => part.kind !== "reasoning" || part.content !== "" || part.redacted !== undefined)
    .map((part) => ({ part, returned: part.kind === "tool-return" ? part : returns.get(part.tool_id), ended }));
}

/** An item's element. A kind that this page doesn't know yet is shown as what it is: its fields. */
export function partElement(item) {
  const make = KINDS.get(item.part.kind);
  if (make) return make(item);
  const { kind, content, ...fields } = item.part;
  return customElement({ part: { type: kind, fields: content === "" ? fields : { content, ...fields } } });
}

const isSame = (before, item) =>
  before.part === item.part &&
  before.returned === item.returned &&
  (before.ended === item.ended || before.part.kind !== "tool-call");

/** Brings `element`, made of `before`, to `item`: the element itself, or one that takes its place. */
export function updatePart(element, before, item) {
  if (isSame(before, item)) return element;
  const { kind, content } = item.part;
  const text = kind === "text" ? element : kind === "reasoning" ? element.querySelector(".text") : null;
  if (text && kind === before.part.kind && content.startsWith(before.part.content)) {
    appendText(text, content.slice(before.part.content.length));
    return element;
  }
  const fresh = partElement(item);
  if (element.open) fresh.open = true;
  element.replaceWith(fresh);
  return fresh;
}
