/**
 * The messages on the page, each with what can be done with it, in the order of the branch.
 */
import { MessageActions } from "wb/actions";
import { textOf } from "wb/clipboard";
import { MessageView } from "wb/message";
import { styled } from "wb/stylesheet";

/** Resolves once messages look as they should: a page that came without any came without their sheet. */
export const dressed = () => styled(import.meta.resolve("wb/parts.css"));
dressed().catch(() => {}); // it is asked for again with the first message

export class ThreadView {
  #shown = new Map(); // message id → {view, actions, state}
  #branch = new Set(); // the elements of the branch that is shown
  #ratings = new Map(); // message id → feedback given on this page
  #focusNext = null; // {id, name}: the button to focus once it is drawn

  /**
   * @param {HTMLElement} element
   * @param {object} parts `onAsk({text, parent_id, task})` wants another answer (text null) or an edited question
   *   asked; `onGo(id, direction)` wants another version shown; `mayRate`; `wording` and the rest as thread.js has it
   */
  constructor(element, { api, announce, wording, mayRate, onAsk, onGo, onTrouble }) {
    Object.assign(this, { element, api, announce, wording, onAsk, onTrouble });
    this.doings = {
      announce,
      edit: (message) => this.edit(message),
      regenerate: (message) => this.#askAgain(message),
      go: onGo,
      rate: mayRate ? (...rating) => this.#rate(...rating) : null,
    };
  }

  /** @param {object[]} messages in order @param {{busy: boolean, branches: import("wb/branches").Branches}} state */
  show(messages, { busy, branches }) {
    const last = messages.length - 1;
    const elements = messages.map((message, index) => {
      const alternatives = branches.alternatives(message.id);
      return this.#show(message, { isLast: index === last, busy, alternatives });
    });
    this.#branch = new Set(elements);
    for (const child of [...this.element.children]) if (!this.#stays(child)) child.remove();
    elements.forEach((element, index) => {
      const there = this.element.children[index] ?? null;
      if (there !== element) this.element.insertBefore(element, there);
    });
    this.#focus();
  }

  /** What somebody is writing in stays until that is done, also when another tab has gone to another branch. */
  #stays(element) {
    return this.#branch.has(element) || element.classList.contains("editing");
  }

  /** Forgets all: another chat comes. */
  clear() {
    this.#shown.clear();
    this.#ratings.clear();
  }

  /** Opens the edit box of a question. */
  async edit(message) {
    const { edit } = await import("wb/editing");
    const { view, actions } = this.#shown.get(message.id) ?? {};
    if (view === undefined) return; // the chat was left meanwhile
    const files = message.parts.filter(({ kind }) => kind === "image" || kind === "file");
    edit(view.element, { id: message.id, text: textOf(message), files }, {
      onSend: (text, kept) => this.onAsk({ text, files: kept, parent_id: message.parent_id, branch: true }),
      onEnd: () => {
        if (this.#stays(view.element)) actions.focus("edit");
        else view.element.remove();
      },
    });
  }

  /** Puts the focus on a button of a message as soon as that is drawn. */
  focusNext(id, name) {
    this.#focusNext = { id, name };
  }

  #show(message, { isLast, busy, alternatives }) {
    const shown = this.#shown.get(message.id) ?? this.#make(message);
    shown.view.show(message, { isLast });
    const feedback = this.#ratings.get(message.id) ?? message.feedback;
    const state = [message, alternatives.length, busy, feedback];
    if (state.some((each, index) => each !== shown.state[index])) {
      shown.state = state;
      shown.actions.show({ ...message, feedback }, { alternatives, busy });
    }
    return shown.view.element;
  }

  #make(message) {
    const onRetry = (response) => this.#askAgain(response);
    const onContinue = (response) => this.#goOn(response);
    const view = new MessageView(message, {
      wording: this.wording,
      onRetry, onContinue,
      fileAddress: (id) => this.api.file(id),
    });
    const actions = new MessageActions(message.kind, this.doings);
    view.element.append(actions.element);
    const made = { view, actions, state: [] };
    this.#shown.set(message.id, made);
    return made;
  }

  #askAgain(response) {
    this.#keepFocus();
    this.onAsk({ text: null, task: response.task, parent_id: response.parent_id, branch: true });
  }

  /** Asks for the rest of an answer that was cut off. */
  #goOn({ id, task }) {
    this.#keepFocus();
    this.onAsk({ text: null, task, parent_id: id, continuation: true });
  }

  async #rate(message, rating, button) {
    const { rate } = await import("wb/feedback");
    const given = this.#ratings.get(message.id) ?? message.feedback;
    const { api, announce, onTrouble } = this;
    const onRated = (feedback) => {
      this.#ratings.set(message.id, feedback);
      this.#shown.get(message.id)?.actions.showRating(feedback);
    };
    rate(message.id, { given, rating, button }, { api, announce, onTrouble, onRated });
  }

  /** The button that was pressed goes with its answer: the keys stay in the thread. */
  #keepFocus() {
    if (this.element.contains(document.activeElement)) this.element.parentElement.focus({ preventScroll: true });
  }

  #focus() {
    if (this.#focusNext === null) return;
    const { id, name } = this.#focusNext;
    this.#focusNext = null;
    this.#shown.get(id)?.actions.focus(name);
  }
}
