/**
 * What is half typed at the end of a text, closed or hidden, so that it doesn't flash as punctuation until the
 * rest of it comes. Pure. Only for showing: what is stored and what is shown at the end is the text itself.
 */

/** `text` as it will most likely go on. Only what stands after the last empty line is looked at. */
export function healed(text) {
  const cut = text.lastIndexOf("\n\n") + 2;
  const start = cut === 1 ? 0 : cut;
  let rest = withoutHalfATable(text.slice(start));
  rest = rest.replace(/\n[ \t]*(?:=+|-{1,2}|\d{1,3}[.)]?|[*+#]+|`{1,2}|>+|\|)[ \t]*$/, "\n"); // may become a mark
  rest = rest.replace(/!?\[[^\]\n]*(?:\]\([^)\n]*)?$/, wordsOfLink);
  const ticks = rest.match(/`/g)?.length ?? 0;
  if (ticks % 2 === 1) return text.slice(0, start) + closedCode(rest);
  return text.slice(0, start) + withoutOpenFormula(withClosedMarks(rest.replace(/(?:\*{1,3}|~{1,2}|_{1,3})$/, "")));
}

/** A table's first line isn't known for one before the line of dashes is there. */
function withoutHalfATable(text) {
  if (!/(?:^|\n)[ \t]*\|[^\n]*(?:\n[ \t]*[|:\- ]*)?$/.test(text) || /\n[ \t]*\|?[ \t]*:?-+[^\n]*\n/.test(text)) return text;
  return text.replace(/(^|\n)[ \t]*\|[^\n]*(?:\n[ \t]*[|:\- ]*)?$/, "$1");
}

/** `[text](http://…` shows its text; an image, and the number of a source, show nothing yet. */
function wordsOfLink(open) {
  if (open.startsWith("!") || /^\[\^?\d*$/.test(open)) return "";
  return open.slice(1).replace(/\]\(.*$/s, "");
}

const closedCode = (text) => (text.endsWith("`") ? text.slice(0, -1) : `${text}\``);

function withClosedMarks(text) {
  const bare = text
    .replaceAll(/`[^`]*`/g, "")
    .replaceAll(/\\./g, "")
    .replaceAll(/(^|\n)[ \t]*\*[ \t]/g, "$1");
  const odd = (pattern, from) => (from.match(pattern)?.length ?? 0) % 2 === 1;
  if (odd(/\*\*/g, bare)) return `${text.trimEnd()}**`;
  if (odd(/\*/g, bare.replaceAll("**", ""))) return `${text.trimEnd()}*`;
  return odd(/~~/g, bare) ? `${text.trimEnd()}~~` : text;
}

/** A formula is shown when it's whole; a lone dollar that has nothing of one stays. */
function withoutOpenFormula(text) {
  const open = /(?:^|[^\\$\w])(\$(?![\s$])[^$\n]*)$/.exec(text);
  if (open && /[\\^_{}=]/.test(open[1])) return text.slice(0, text.length - open[1].length);
  return text.replace(/(?:^|\n)[ \t]*(?:\$\$|\\\[)(?:(?!\$\$|\\\])[^])*$/, "").replace(/\\\((?:(?!\\\))[^])*$/, "");
}
