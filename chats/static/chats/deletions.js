/**
 * Chats that are about to be deleted: hidden at once, deleted when the time for changing one's mind is over, or when
 * the page is left.
 */
import { h } from "wb/dom";
import { gettext, interpolate } from "wb/words";

export class Deletions {
  #pending = new Set(); // chat ids

  /**
   * `onChange(chatId, hidden)`: the chat is to be hidden, or shown again; `onTrouble(error)`: it couldn't be deleted.
   */
  constructor({ api, toasts, onChange, onTrouble }) {
    Object.assign(this, { api, toasts, onChange, onTrouble });
    window.addEventListener("pagehide", () => {
      for (const id of this.#pending) this.api.deleteChat(id, { keepalive: true }).catch(() => {}); // nobody is left to be told
      this.#pending.clear();
    });
  }

  has(chatId) {
    return this.#pending.has(chatId);
  }

  /** @param {{id: string, title: string}} chat */
  ask(chat) {
    this.#pending.add(chat.id);
    this.onChange(chat.id, true);
    const undo = h("button", { type: "button", class: "undo" }, gettext("Undo"));
    undo.addEventListener("click", () => {
      this.#pending.delete(chat.id);
      this.onChange(chat.id, false);
    });
    const title = chat.title || gettext("Untitled chat");
    const text = interpolate(gettext("“%(title)s” was deleted."), { title });
    this.toasts.show(text, { action: undo, onGone: () => this.#delete(chat.id) });
  }

  async #delete(chatId) {
    if (!this.#pending.has(chatId)) return;
    try {
      await this.api.deleteChat(chatId);
    } catch (error) {
      this.onChange(chatId, false);
      this.onTrouble(error);
    }
    this.#pending.delete(chatId);
  }
}
