/**
 * The sources of an answer: a list below it, and the numbers in its text, each of which opens what is cited.
 */
import { listed } from "wb/cards";
import { h, icon } from "wb/dom";
import { gettext, interpolate, ngettext } from "wb/words";

/** The numbers of one message: markers in its text, which work once what they stand for is known. */
export class Citations {
  #markers = []; // {number, element, raw, part}
  #parts = new Map(); // number → {citation, document}

  /** A marker for a `[1]` in a text, until it is known to be one as it was written. */
  marker(number, raw) {
    const element = h("span", { class: "cite" }, raw);
    const marker = { number, element, raw, part: null };
    this.#markers.push(marker);
    this.#resolve(marker);
    return element;
  }

  /** @param {{document: object, citations: object[]}[]} sources all that are known by now */
  learn(sources) {
    this.#parts.clear();
    for (const { document, citations } of sources) {
      for (const citation of citations) {
        const number = citation.reference_number;
        if (number && !this.#parts.has(number)) this.#parts.set(number, { citation, document });
      }
    }
    this.#markers = this.#markers.filter(({ element, part }) => part === null || element.isConnected);
    for (const marker of this.#markers) this.#resolve(marker);
  }

  #resolve(marker) {
    const part = this.#parts.get(marker.number) ?? null;
    if (part?.citation === marker.part?.citation) return;
    marker.part = part;
    marker.element.replaceChildren(part ? numberButton(marker, part) : marker.raw);
  }
}

function numberButton({ number }, { citation, document }) {
  const name = interpolate(gettext("Source %(number)s: %(title)s"), { number, title: document.title });
  const label = h("span", { class: "number" }, String(number));
  const bracket = (sign) => h("span", { class: "bracket", "aria-hidden": "true" }, sign);
  const attributes = { type: "button", "aria-label": name, "aria-haspopup": "dialog" };
  const button = h("button", attributes, bracket("["), label, bracket("]"));
  button.addEventListener("click", () => openPopover(button, number, { citation, document }));
  return button;
}

let popover = null; // one for the page: opening another closes it

function openPopover(button, number, source) {
  popover?.remove();
  const close = h("button", { type: "button", class: "quiet only-icon", "aria-label": gettext("Close") }, icon("close"));
  const label = interpolate(gettext("Source %(number)s"), { number });
  const head = h("header", {}, h("span", { class: "number" }, String(number)), sourceTitle(source.document), close);
  const attributes = { class: "source-popover", popover: "auto", role: "dialog", "aria-label": label };
  const element = h("div", attributes, head, ...passage(source.citation));
  popover = element;
  close.addEventListener("click", () => element.hidePopover());
  element.addEventListener("toggle", ({ newState }) => newState === "closed" && element.remove());
  button.after(element);
  element.showPopover();
  place(element, button.getBoundingClientRect());
  close.focus({ preventScroll: true });
}

/** Below the marker, or above it where there is more room; inside the window. */
function place(element, { left, top, bottom }) {
  const { offsetWidth: width, offsetHeight: height } = element;
  const { innerWidth, innerHeight } = globalThis;
  const x = Math.max(8, Math.min(left - 16, innerWidth - width - 8));
  const y = bottom + 8 + height <= innerHeight ? bottom + 8 : Math.max(8, top - height - 8);
  element.style.left = `${x}px`;
  element.style.top = `${y}px`;
}

/** Title, as a link where its pointer is an address of the web and of nothing else. */
function sourceTitle({ title, pointer }) {
  if (!/^https?:\/\//i.test(pointer ?? "")) return h("span", { class: "title", dir: "auto" }, title);
  return h("a", { class: "title", dir: "auto", href: pointer, target: "_blank", rel: "noopener noreferrer" }, title);
}

function passage({ content, page, section }) {
  const place = listed(page && interpolate(gettext("p. %(page)s"), { page }), section);
  return [h("blockquote", { dir: "auto" }, content), place && h("p", { class: "facts" }, place)];
}

/** The list below the answer. */
export class SourceList {
  #count = h("span");
  #list = h("ol", { class: "body" });
  #known = "";

  constructor(item) {
    const summary = h("summary", {}, icon("document"), this.#count, icon("chevron"));
    this.element = h("details", { class: "part card sources" }, summary, this.#list);
    this.update(item);
  }

  update({ sources }) {
    const known = JSON.stringify(sources);
    if (known === this.#known) return true;
    this.#known = known;
    const count = sources.length;
    this.#count.textContent = interpolate(ngettext("%(count)s source", "%(count)s sources", count), { count });
    this.#list.replaceChildren(...sources.map(entry));
    return true;
  }
}

function entry({ document, citations }) {
  const { pointer, mime_type: type, page_count: pages, word_count: words } = document;
  const facts = listed(
    pointer,
    type,
    pages && interpolate(ngettext("%(count)s page", "%(count)s pages", pages), { count: pages }),
    words && interpolate(ngettext("%(count)s word", "%(count)s words", words), { count: words }),
  );
  const head = h("div", { class: "source" }, sourceTitle(document), facts && h("span", { class: "facts" }, facts));
  return h("li", {}, head, ...citations.map(cited));
}

function cited(citation) {
  const number = citation.reference_number;
  return h("div", { class: "citation" }, number && h("span", { class: "number" }, String(number)), ...passage(citation));
}
