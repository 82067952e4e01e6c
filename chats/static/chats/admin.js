/**
 * The admin's transcript, read as its owner reads it: texts that the server wrote as they are become Markdown.
 */
import { AnswerText } from "wb/text";

for (const element of document.querySelectorAll("[data-markdown]")) {
  const text = new AnswerText(element.className, (_, raw) => document.createTextNode(raw));
  text.show(element.textContent, true);
  element.replaceWith(text.element);
}
