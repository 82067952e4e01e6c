/**
 * The cards of a message: tool calls, reasoning, files, images, a handler's own events. templates/chats/parts/ say the
 * same without JavaScript. Each view has an `element` and `update(item)`: false where it has to be made anew.
 */
import { h, icon } from "wb/dom";
import { eventView, inJson, inWords } from "wb/eventviews";
import { inBytes } from "wb/sizes";
import { AnswerText } from "wb/text";
import { gettext } from "wb/words";

const LONG = 20_000; // characters of arguments or a result that are shown

/** The facts that there are, with dots between them. */
export const listed = (...facts) => facts.filter((fact) => fact || fact === 0).join(" · ");

const card = (name, ...children) => h("div", { class: `part card ${name}` }, ...children);

/** A view that is never brought up to date. */
const fixed = (element) => ({ element, update: () => false });

function folded(name, summary, ...body) {
  const inside = h("div", { class: "body" }, ...body);
  return h("details", { class: `part card ${name}` }, h("summary", {}, ...summary, icon("chevron")), inside);
}

/** A tool's call and what came of it. */
export class ToolCard {
  #state = h("span", { class: "state" });
  #body = h("div", { class: "body" });
  #returned = null;

  constructor(item) {
    const { part } = item;
    const name = h("span", { class: "name" }, part.tool_name);
    const about = h("span", { class: "about" }, part.kind === "tool-call" ? briefly(part.tool_args) : "");
    const summary = h("summary", {}, icon("tool"), name, about, this.#state, icon("chevron"));
    this.element = h("details", { class: "part card tool" }, summary, this.#body);
    if (part.kind === "tool-call") this.#body.append(...labelled(gettext("Arguments"), part.tool_args));
    this.update(item);
  }

  update({ returned, ended }) {
    const state = returned ? "done" : ended ? "no result" : "running";
    this.element.dataset.state = state;
    this.#state.textContent = { done: gettext("done"), running: gettext("running") }[state] ?? gettext("no result");
    if (returned && this.#returned === null) this.#body.append(...labelled(gettext("Result"), returned.result));
    this.#returned = returned ?? null;
    return true;
  }
}

/** What distinguishes this call from another of the same tool: its arguments' short values. */
function briefly(fields) {
  const values = Object.values(fields ?? {}).filter((value) => ["string", "number", "boolean"].includes(typeof value));
  return values.join(", ").slice(0, 120);
}

function labelled(label, value) {
  const text = inJson(value) ?? "";
  const cut = text.length > LONG ? `${text.slice(0, LONG)}…` : text;
  const scrolling = { tabindex: 0, role: "group", "aria-label": label, dir: "auto" };
  return [h("p", { class: "label" }, label), h("pre", scrolling, cut)];
}

/** What a model thought on its way. */
export class ReasoningCard {
  #text;

  constructor(item, context) {
    this.#text = new AnswerText("text", context.onCitation);
    this.element = folded("reasoning", [icon("thought"), h("span", {}, gettext("Reasoning"))], this.#text.element);
    this.update(item);
  }

  update({ part, ended }) {
    if (part.redacted !== undefined && part.content === "") return false;
    this.#text.show(part.content, ended);
    return true;
  }
}

export function reasoning(item, context) {
  const { redacted, content } = item.part;
  if (redacted === undefined || content !== "") return new ReasoningCard(item, context);
  const words = gettext("Reasoning that the model’s provider keeps to itself");
  return fixed(card("reasoning", icon("thought"), h("span", {}, words)));
}

export function file({ part }, { fileAddress }) {
  const address = fileAddress?.(part.file_id);
  const name = h(address ? "a" : "span", { class: "title", dir: "auto", href: address, download: address && part.name }, part.name);
  return fixed(card("file", icon("document"), name, factsOf(part.mime_type, inBytes(part.size))));
}

const factsOf = (...facts) => h("span", { class: "facts" }, listed(...facts));

/** The picture itself where this site keeps files; what it is of where it doesn't, or it can't be had. */
export function image(item, context) {
  const { part } = item;
  const address = context.fileAddress?.(part.file_id);
  if (!address) return fixed(imageCard(part));
  const alt = part.alt || part.name || gettext("An image without a description");
  const picture = h("img", { src: address, alt, loading: "lazy" });
  const element = h("a", { class: "part picture", href: address, target: "_blank", rel: "noopener" }, picture);
  picture.addEventListener("error", () => element.replaceWith(imageCard(part)));
  return fixed(element);
}

function imageCard(part) {
  const label = h("span", { class: "title", dir: "auto" }, part.alt || part.name || gettext("No description"));
  return card("image", icon("image"), label, factsOf(part.mime_type));
}

/** A handler's own event. */
export function custom({ part: { type, fields } }) {
  return fixed(card("custom", h("p", { class: "label" }, inWords(type)), eventView(type, fields)));
}

/** A kind that this page doesn't know yet is shown as what it is: its fields. */
export function unknown({ part: { kind, content, ...fields } }) {
  return custom({ part: { type: kind, fields: content === "" ? fields : { content, ...fields } } });
}
