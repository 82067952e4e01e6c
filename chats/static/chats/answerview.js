/**
 * What an answer shows: its parts by their views, and below them how it goes or how it ended. Brought up to date with
 * as little change as there is news.
 */
import { isUnfinished } from "wb/answer";
import { h, icon, timeElement } from "wb/dom";
import { itemsOf, sourcesOf } from "wb/items";
import { isSame, viewOf } from "wb/render";
import { Citations } from "wb/sources";
import { gettext, interpolate, language, ngettext } from "wb/words";

const STILL = 1000; // ms without news

export class AnswerView {
  #parts;
  #below;
  #shown = []; // {item, view} per item
  #state = "";
  #still; // the timer that ends the flow
  #citations = new Citations();
  #context;

  /** @param {{parts: Element, below: Element}} places to fill @param {object} surroundings MessageView's */
  constructor({ parts, below }, { wording, onRetry, onContinue, fileAddress }) {
    this.#parts = parts;
    this.#below = below;
    this.wording = wording;
    this.onRetry = onRetry;
    this.onContinue = onContinue;
    this.#context = { fileAddress, onCitation: (number, raw) => this.#citations.marker(number, raw) };
  }

  /** @param {object} message as it is now @param {boolean} isLast on its branch */
  show(message, isLast) {
    const items = itemsOf(message.parts, !isUnfinished(message));
    items.forEach((item, index) => this.#showItem(item, index));
    for (const { view } of this.#shown.splice(items.length)) view.element.remove();
    this.#citations.learn(sourcesOf(message.parts));
    this.#showBelow(message, isLast, items.length > 0);
    if (isUnfinished(message) && items.length > 0) this.#flow();
  }

  /** While words come, they are the sign of life; the dot beats when they don't: it costs frames all the time. */
  #flow() {
    clearTimeout(this.#still);
    this.#below.classList.add("flowing");
    this.#still = setTimeout(() => this.#below.classList.remove("flowing"), STILL);
  }

  #showItem(item, index) {
    const shown = this.#shown[index];
    if (shown && isSame(shown.item, item)) return;
    if (shown?.item.kind === item.kind && shown.view.update(item)) {
      shown.item = item;
      return;
    }
    const view = viewOf(item, this.#context);
    if (shown?.view.element.open) view.element.open = true;
    if (shown) shown.view.element.replaceWith(view.element);
    else this.#parts.append(view.element);
    this.#shown[index] = { item, view };
  }

  /** Status line, errors and facts: made anew only when they change, so that focus and selection stay. */
  #showBelow(message, isLast, hasItems) {
    const { status, statusLine, errors, usage, metadata } = message;
    const state = JSON.stringify([status, statusLine, errors, usage, metadata, isLast, hasItems]);
    if (state === this.#state) return;
    this.#state = state;
    this.#below.replaceChildren(
      ...(isUnfinished(message) ? this.#progress(message, hasItems) : this.#outcome(message, isLast)),
    );
  }

  #progress({ statusLine, status }, hasItems) {
    const waiting = status === "queued" ? gettext("Waiting for its turn…") : gettext("Thinking…");
    const words = statusLine || (hasItems ? "" : waiting);
    return [h("p", { class: "progress" }, h("span", { class: "pulse" }), words)];
  }

  #outcome(message, isLast) {
    const failed = message.status === "error";
    const errors = message.errors.length || !failed ? message.errors : [{ type: "", message: "" }];
    const shown = errors.map((error, index) => {
      const isReason = failed && index === errors.length - 1;
      const buttons = isReason && isLast ? [this.#retryOf(message), this.#continueOf(message)] : [];
      return this.#problem(error, { isReason, buttons });
    });
    const cut = cutOf(message);
    if (cut) shown.push(h("p", { class: "ended" }, cut, " ", isLast ? this.#continueOf(message) : null));
    const leftOut = leftOutOf(message.metadata ?? {});
    if (leftOut) shown.push(h("p", { class: "ended" }, leftOut));
    if (errors.length > 0 && this.wording.trace) this.#traced(message);
    return [...shown, factsOf(message)];
  }

  #retryOf(message) {
    return button(icon("retry"), gettext("Try again"), () => this.onRetry(message));
  }

  /** null where there is nothing to go on with. */
  #continueOf(message) {
    const hasText = message.parts.some(({ kind, content }) => kind === "text" && content.trim() !== "");
    return hasText && this.onContinue ? button(null, gettext("Continue"), () => this.onContinue(message)) : null;
  }

  /** For staff: which run failed, with the way to its log. */
  async #traced({ id }) {
    const state = this.#state;
    const { traceOf } = await import("wb/trace");
    const trace = await traceOf(this.wording.trace.replace("{id}", id));
    if (trace && state === this.#state) [...this.#below.querySelectorAll(".problem > div")].at(-1)?.append(trace);
  }

  /** An error that ended the answer, or one that the handler got over: then it's a note. */
  #problem(error, { isReason, buttons }) {
    const words = this.wording.errors[error.type] ?? this.wording.errors.other;
    const heading = isReason ? words : gettext("Something went wrong on the way");
    return h(
      "div",
      { class: isReason ? "problem" : "problem mild" },
      icon("alert"),
      h("div", {}, h("strong", {}, heading), error.message && h("p", { dir: "auto" }, error.message)),
      ...buttons,
    );
  }
}

function button(symbol, words, onClick) {
  const made = h("button", { type: "button", class: "quiet" }, symbol, words);
  made.addEventListener("click", onClick);
  return made;
}

/** Why an answer ends before its end, unless an error says that; "" for a whole one. */
function cutOf({ status, metadata }) {
  if (status === "cancelled") return gettext("Stopped. What was said is kept.");
  const isCut = status === "completed" && metadata?.stop_reason === "max_tokens";
  return isCut ? gettext("The answer reached its length limit.") : "";
}

/** What of the chat the model wasn't given; "" where it was given all. */
function leftOutOf({ messages_left_out: count, messages_summarised: isSummarised }) {
  if (!(count > 0)) return "";
  const words = ngettext(
    "The oldest message was too much for the model.",
    "The %(count)s oldest messages were too much for the model.",
    count,
  );
  const summarised = isSummarised ? ` ${gettext("It read a summary.")}` : "";
  return interpolate(words, { count: count.toLocaleString(language()) }) + summarised;
}

/** Model, tokens, cost and time, where they are known. */
function factsOf({ model_id: model, usage, metadata, finished_at: finishedAt }) {
  const facts = [model, tokensOf(usage), costOf(metadata?.cost)].filter(Boolean);
  const nodes = facts.map((fact) => (typeof fact === "string" ? h("span", {}, fact) : fact));
  if (finishedAt) nodes.push(timeElement(finishedAt));
  return h("p", { class: "facts" }, ...nodes.flatMap((node, index) => (index === 0 ? [node] : [" · ", node])));
}

function tokensOf({ total_tokens: total, input_tokens: input, output_tokens: output }) {
  if (!total) return null;
  const count = (number) => (number ?? 0).toLocaleString(language());
  const words = interpolate(ngettext("%(count)s token", "%(count)s tokens", total), { count: count(total) });
  const parts = gettext("%(input)s read, %(output)s written");
  return h("span", { title: interpolate(parts, { input: count(input), output: count(output) }) }, words);
}

/**
 * `{"amount": "0.0021", "currency": "USD"}` of a message's metadata, of small sums the first two figures; null where
 * nobody priced the model.
 */
function costOf(cost) {
  if (cost === null) return gettext("cost unknown");
  const amount = Number(cost?.amount ?? Number.NaN);
  if (!Number.isFinite(amount) || !/^[A-Z]{3}$/.test(cost.currency ?? "")) return null;
  const digits = amount < 0.1 ? { maximumSignificantDigits: 2 } : {};
  return amount.toLocaleString(language(), { style: "currency", currency: cost.currency, ...digits });
}
