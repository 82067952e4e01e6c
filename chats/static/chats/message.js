/**
 * One message on the page: its element, and a question's words, which are shown as they were written. What an answer
 * consists of is answerview.js's.
 */
import { AnswerView } from "wb/answerview";
import { h } from "wb/dom";
import { viewOf } from "wb/render";
import { gettext } from "wb/words";

const LONG = { characters: 1500, lines: 20 };

/** Whether a question is shown in part until more is asked for, as templatetags/chat_page.py has it too. */
const isLong = (text) => text.length > LONG.characters || text.split("\n").length - 1 > LONG.lines;

function showMore() {
  const words = [h("span", { class: "show" }, gettext("Show all")), h("span", { class: "fewer" }, gettext("Show less"))];
  return h("summary", {}, ...words);
}

export class MessageView {
  #current = null; // the message and place shown last
  #state = "";
  #answer = null; // an answer's view
  #parts = h("div", { class: "parts" });
  #below = h("div", { class: "below" });
  #fileAddress;

  /**
   * @param {object} message of REST's shape; its kind never changes
   * @param {object} surroundings `wording.errors` names the error types in plain words, `wording.tasks` the handlers;
   *   `onRetry(message)` asks for another answer, `onContinue(message)` for the rest of one; `fileAddress(id)` is where a stored file can be had, if at all
   */
  constructor(message, { wording, onRetry, onContinue, fileAddress = null }) {
    this.#fileAddress = fileAddress;
    const isRequest = message.kind === "request";
    const places = { parts: this.#parts, below: this.#below };
    if (!isRequest) this.#answer = new AnswerView(places, { wording, onRetry, onContinue, fileAddress });
    const author = isRequest ? gettext("You") : wording.tasks[message.task] || message.task;
    this.element = h(
      "article",
      { class: `message ${message.kind}`, "data-message": message.id },
      h("h2", { class: isRequest ? "visually-hidden" : "author" }, author),
      this.#parts,
      this.#below,
    );
    this.show(message);
  }

  /** @param {object} message as it is now @param {{isLast?: boolean}} place on its branch */
  show(message, { isLast = false } = {}) {
    if (this.#current?.message === message && this.#current.isLast === isLast) return;
    this.#current = { message, isLast };
    this.element.dataset.status = message.status;
    if (message.kind === "request") this.#showRequest(message);
    else this.#answer.show(message, isLast);
  }

  #showRequest({ parts, metadata, unsent = false }) {
    const isContinuation = Boolean(metadata?.continues);
    this.element.classList.toggle("unsent", unsent);
    this.element.classList.toggle("request", !isContinuation);
    this.element.classList.toggle("continuation", isContinuation);
    this.#below.replaceChildren(...(unsent ? [h("p", { class: "ended" }, gettext("Sending…"))] : []));
    const state = JSON.stringify([isContinuation, parts]);
    if (state === this.#state) return;
    this.#state = state;
    const shown = () => parts.flatMap((part) => this.#requestPart(part));
    const continued = () => [h("p", { class: "ended" }, gettext("Continued"))];
    this.#parts.replaceChildren(...(isContinuation ? continued() : shown()));
  }

  #requestPart(part) {
    if (part.kind === "text") {
      const text = h("div", { class: "part text", dir: "auto" }, part.content);
      return isLong(part.content) ? [text, h("details", { class: "whole" }, showMore())] : text;
    }
    const onCitation = (number, raw) => document.createTextNode(raw);
    return viewOf({ kind: part.kind, part, ended: true }, { fileAddress: this.#fileAddress, onCitation }).element;
  }
}
