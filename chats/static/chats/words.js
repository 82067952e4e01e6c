/**
 * The page's words in the reader's language. English texts are the keys; the names are gettext's, so that
 * `manage.py makemessages -d djangojs` finds them. The catalogue (locale/) comes with the page.
 */
const CATEGORIES = ["zero", "one", "two", "few", "many", "other"]; // as gettext's forms follow one another
let catalogue = null;

/** @returns {Record<string, string | string[]>} text → translation, or its plural forms in gettext's order */
function words() {
  const element = globalThis.document?.getElementById("page-words");
  catalogue ??= JSON.parse(element?.textContent ?? "null") ?? {};
  return catalogue;
}

/** @param {string} text */
export function gettext(text) {
  const found = words()[text];
  return (Array.isArray(found) ? found[0] : found) || text;
}

/** The form for `count`. @param {string} one @param {string} many @param {number} count */
export function ngettext(one, many, count) {
  const forms = words()[one];
  if (!Array.isArray(forms)) return count === 1 ? one : many;
  const rules = new Intl.PluralRules(language());
  const { pluralCategories } = rules.resolvedOptions(); // in no order that could be relied on
  const place = CATEGORIES.filter((each) => pluralCategories.includes(each)).indexOf(rules.select(count));
  return forms[Math.min(place, forms.length - 1)];
}

/** `%(name)s` replaced by `values.name`. @param {string} text @param {Record<string, unknown>} values */
export function interpolate(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));
}

/** The language of the page, for dates and numbers. */
export function language() {
  return globalThis.document?.documentElement.lang || "en";
}
