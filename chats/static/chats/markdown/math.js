/**
 * Formulas. KaTeX, with its style sheet and fonts, is loaded at the first one; until then, and without it, a
 * formula is shown as it was written.
 */
import { h } from "wb/dom";
import { optional } from "wb/optional";
import { styled } from "wb/stylesheet";

const LONGEST = 4000; // characters
const OPTIONS = { trust: false, strict: "ignore", throwOnError: false, maxExpand: 500, maxSize: 40 };

const katex = optional("katex", async (address) => {
  await Promise.all([import(address), styled(import.meta.resolve("katex.css"))]);
  return globalThis.katex;
});

/** @param {string} tex @param {string} raw as it stands in the text @param {boolean} display on a line of its own */
export function mathElement(tex, raw, display) {
  const element = h("span", { class: display ? "math display" : "math", dir: "ltr" }, h("code", {}, raw));
  if (display) element.tabIndex = 0; // wide ones scroll
  if (tex.length > LONGEST) return element;
  katex.use((library) => library.render(tex, element, { ...OPTIONS, displayMode: display }));
  return element;
}
