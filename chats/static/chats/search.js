/**
 * Search in the reader's chats: results in the place of the list, with what matched marked.
 */
import { h, timeElement } from "wb/dom";
import { gettext, interpolate, ngettext } from "wb/words";

const PAUSE = 200; // ms after the last key
const SHORTEST = 2; // characters; less finds everything
const LAG = 2500; // ms after which what was said is in the index

/** Text with its matches in <mark>. @param {{text: string, ranges: [number, number][]}} highlighted */
export function marked({ text, ranges }) {
  const pieces = [];
  let at = 0;
  for (const [start, end] of ranges) {
    pieces.push(text.slice(at, start), h("mark", {}, text.slice(start, end)));
    at = end;
  }
  return [...pieces, text.slice(at)].filter((piece) => piece !== "");
}

export class Search {
  #timer = null; // of what is being typed
  #later = null; // of what may be found by then
  #asked = 0;
  #shown = ""; // the results, as they came

  /** @param {object} elements `box`, `results`, `list` @param {object} doings `api`, `addresses`, `go(chatId)`, `onTrouble` */
  constructor({ box, results, list }, { api, addresses, go, onTrouble }) {
    Object.assign(this, { box, results, list, api, addresses, go, onTrouble });
  }

  start() {
    this.box.addEventListener("input", () => this.#typed());
    this.box.addEventListener("keydown", (event) => this.#pressed(event));
    this.results.addEventListener("keydown", (event) => this.#walk(event));
    if (this.box.value !== "") this.#typed();
  }

  #typed() {
    clearTimeout(this.#timer);
    clearTimeout(this.#later);
    this.#asked += 1;
    this.#shown = "";
    if (this.box.value.trim().length < SHORTEST) this.#show(null);
    else this.#timer = setTimeout(() => this.#ask({ again: true }), PAUSE);
  }

  /** An answer has ended somewhere: what it says will be found. */
  hearRun({ status }) {
    const isOpen = !this.results.hidden && this.box.value.trim().length >= SHORTEST;
    if (isOpen && !["queued", "running"].includes(status)) this.#askLater();
  }

  #askLater() {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => this.#ask(), LAG);
  }

  /** `again`: once more if nothing is found, since the index may not have it yet. */
  async #ask({ again = false } = {}) {
    const asked = this.#asked;
    const text = this.box.value.trim();
    try {
      const { results } = await this.api.search(text);
      if (asked === this.#asked) this.#renew(results, text, again);
    } catch (error) {
      this.onTrouble(error);
    }
  }

  /** The same results are left as they are, and so is what the reader is walking through. */
  #renew(results, text, again) {
    if (again && results.length === 0) this.#askLater();
    const state = JSON.stringify(results);
    if (state === this.#shown || this.results.contains(document.activeElement)) return;
    this.#shown = state;
    this.#show(results, text);
  }

  /** @param {object[] | null} found null: the list again */
  #show(found, text) {
    this.results.hidden = found === null;
    this.list.hidden = found !== null;
    if (found === null) return;
    const none = interpolate(gettext("Nothing was found for “%(text)s”."), { text });
    const count = interpolate(ngettext("%(count)s hit", "%(count)s hits", found.length), { count: found.length });
    const words = h("p", { class: "label", role: "status" }, found.length === 0 ? none : count);
    this.results.replaceChildren(words, h("ul", {}, ...found.map((hit) => this.#hit(hit))));
  }

  #hit({ chat, title, snippet }) {
    const link = h(
      "a",
      { href: this.addresses.chat(chat.id) },
      h("span", { class: "title", dir: "auto" }, ...marked(title)),
      snippet && h("span", { class: "snippet", dir: "auto" }, ...marked(snippet)),
      timeElement(chat.last_message_at),
    );
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      this.go(chat.id);
    });
    return h("li", {}, link);
  }

  #pressed(event) {
    if (event.isComposing) return;
    if (event.key === "Escape" && this.box.value !== "") {
      event.preventDefault();
      this.box.value = "";
      this.#typed();
    } else if (event.key === "ArrowDown" && !this.results.hidden) {
      event.preventDefault();
      this.results.querySelector("a")?.focus();
    }
  }

  #walk(event) {
    if (event.key === "Escape") return this.box.focus();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return undefined;
    event.preventDefault();
    const links = [...this.results.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement) + step;
    return at < 0 ? this.box.focus() : links[at]?.focus();
  }
}
