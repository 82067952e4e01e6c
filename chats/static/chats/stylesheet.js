/**
 * Style sheets that come with what they are for, and not with the page.
 */
import { h } from "wb/dom";

const sheets = new Map(); // address → its loading

/** Loads a style sheet, once. Rejects where it can't be had, as import() does: it is part of a module. @param {string} href @returns {Promise<void>} */
export function styled(href) {
  if (!sheets.has(href)) sheets.set(href, load(href));
  return sheets.get(href);
}

function load(href) {
  if ([...document.styleSheets].some((sheet) => sheet.href === href)) return Promise.resolve(); // the page brought it
  return new Promise((resolve, reject) => {
    const sheet = h("link", { rel: "stylesheet", href });
    sheet.addEventListener("load", () => resolve());
    sheet.addEventListener("error", () => {
      sheets.delete(href);
      sheet.remove();
      reject(new TypeError(`This style sheet of a module can't be loaded: ${href}`));
    });
    document.querySelector("link[rel=stylesheet]").after(sheet); // a site's own come later, and win
  });
}
