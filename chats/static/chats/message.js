/**
 * One message on the page: its element, brought up to date by `show` with as little change as there is news.
 */
import { h, icon, timeElement } from "wb/dom";
import { isUnfinished } from "wb/answer";
import { itemsOf, partElement, updatePart } from "wb/render";

export class MessageView {
  #shown = []; // {item, element} per part
  #state = "";
  #current = null; // the message and place shown last

  /** `wording.errors` names the error types in plain words; `onRetry(message)` asks for another answer. */
  constructor(message, { wording, onRetry }) {
    this.wording = wording;
    this.onRetry = onRetry;
    this.partsElement = h("div", { class: "parts" });
    this.below = h("div", { class: "below" });
    const author = message.kind === "request" ? "You" : wording.tasks[message.task] || message.task;
    this.element = h(
      "article",
      { class: `message ${message.kind}`, "data-message": message.id },
      h("h2", { class: message.kind === "request" ? "visually-hidden" : "author" }, author),
      this.partsElement,
      this.below,
    );
    this.show(message);
  }

  show(message, { isLast = false } = {}) {
    if (this.#current?.message === message && this.#current.isLast === isLast) return;
    this.#current = { message, isLast };
    const items = itemsOf(message.parts, !isUnfinished(message));
    items.forEach((item, index) => this.#showItem(item, index));
    for (const { element } of this.#shown.splice(items.length)) element.remove();
    this.element.dataset.status = message.status;
    this.#showBelow(message, isLast, items.length > 0);
  }

  #showItem(item, index) {
    const shown = this.#shown[index];
    if (shown === undefined) {
      const element = partElement(item);
      this.partsElement.append(element);
      this.#shown.push({ item, element });
    } else {
      this.#shown[index] = { item, element: updatePart(shown.element, shown.item, item) };
    }
  }

  /** Status line, errors and facts: made anew only when they change, so that focus and selection stay. */
  #showBelow(message, isLast, hasParts) {
    if (message.kind === "request") return this.#showRequestState(message);
    const { status, statusLine, errors, usage } = message;
    const state = JSON.stringify([status, statusLine, errors, usage, isLast, hasParts]);
    if (state === this.#state) return;
    this.#state = state;
    this.below.replaceChildren(
      ...(isUnfinished(message) ? this.#progress(message, hasParts) : this.#outcome(message, isLast)),
    );
  }

  #showRequestState(message) {
    this.element.classList.toggle("unsent", message.unsent === true);
    this.below.replaceChildren(...(message.unsent ? [h("p", { class: "ended" }, "Sending…")] : []));
  }

  #progress({ statusLine, status }, hasParts) {
    const words = statusLine || (hasParts ? "" : status === "queued" ? "Waiting for its turn…" : "Thinking…");
    return [h("p", { class: "progress" }, h("span", { class: "pulse" }), words)];
  }

  #outcome(message, isLast) {
    const failed = message.status === "error";
    const errors = message.errors.length || !failed ? message.errors : [{ type: "", message: "" }];
    const shown = errors.map((error, index) => {
      const isReason = failed && index === errors.length - 1;
      return this.#problem(error, { isReason, retry: isReason && isLast ? message : null });
    });
    if (message.status === "cancelled") shown.push(h("p", { class: "ended" }, "Stopped. What was said is kept."));
    return [...shown, this.#facts(message)];
  }

  /** An error that ended the answer, or one that the handler got over: then it's a note. */
  #problem(error, { isReason, retry }) {
    const words = this.wording.errors[error.type] ?? this.wording.errors.other;
    const heading = isReason ? words : "Something went wrong on the way";
    const again = retry && h("button", { type: "button", class: "quiet" }, icon("retry"), "Try again");
    again?.addEventListener("click", () => this.onRetry(retry));
    return h(
      "div",
      { class: isReason ? "problem" : "problem mild" },
      icon("alert"),
      h("div", {}, h("strong", {}, heading), error.message && h("p", { dir: "auto" }, error.message)),
      again,
    );
  }

  #facts({ model_id: model, usage, finished_at: finishedAt }) {
    const tokens = usage.total_tokens && `${usage.total_tokens.toLocaleString()} tokens`;
    const facts = [model, tokens].filter(Boolean).join(" · ");
    return h("p", { class: "facts" }, facts, facts && finishedAt ? " · " : "", finishedAt && timeElement(finishedAt));
  }
}
