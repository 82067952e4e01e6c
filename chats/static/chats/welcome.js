/**
 * What an empty chat says: what the chosen handler does, and questions to begin with, which fill the box.
 */
import { h } from "wb/dom";

export class Welcome {
  /** @param {HTMLElement} element @param {{onPick: (text: string) => void}} listeners */
  constructor(element, { onPick }) {
    this.element = element;
    this.about = element.querySelector(".about");
    this.list = element.querySelector(".examples");
    this.list.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) onPick(button.textContent);
    });
  }

  show(isEmpty) {
    this.element.hidden = !isEmpty;
    this.element.closest("main").classList.toggle("welcoming", isEmpty);
  }

  /** @param {{description: string, examples: string[]} | undefined} handler */
  describe(handler) {
    this.about.textContent = handler?.description ?? "";
    const examples = handler?.examples ?? [];
    const buttons = examples.map((text) => h("li", {}, h("button", { type: "button", dir: "auto" }, text)));
    this.list.replaceChildren(...buttons);
  }
}
