/**
 * Elements from values, never from markup: the page's policy (Trusted Types) forbids innerHTML.
 */

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes (false, null and undefined are left out) and children (nodes or text). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A symbol of the sprite in templates/chats/icons.html. Decoration: the label stands beside it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** `element.hidden = isHidden`, which costs a style recalculation even where it says what is so already. */
export function setHidden(element, isHidden) {
  if (element.hidden !== isHidden) element.hidden = isHidden;
}

/** A time in the reader's own zone and language. */
export function timeElement(iso) {
  const at = new Date(iso);
  const today = at.toDateString() === new Date().toDateString();
  const style = today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  return h("time", { datetime: iso }, at.toLocaleString(undefined, style));
}

/** The JSON that the server put into the page. */
export function pageData(id) {
  return JSON.parse(document.getElementById(id).textContent);
}
