/**
 * Characters that turn round the order of what follows them (U+202A–202E, U+2066–2069): with one, a link's words or a
 * line of code could be read as what they aren't.
 */
import { h } from "wb/dom";
import { gettext } from "wb/words";

const TURNING = /([\u202A-\u202E\u2066-\u2069])/;
const ALL = new RegExp(TURNING, "g");

/** Prose goes without them: browsers know by themselves which way a word is written. */
export const withoutTurning = (text) => text.replace(ALL, "");

/** Code shows them: compilers don't heed them. @returns {(string | Node)[]} */
export function withTurningShown(text) {
  if (!TURNING.test(text)) return text === "" ? [] : [text];
  const pieces = text.split(TURNING).filter((piece) => piece !== "");
  return pieces.map((piece) => (TURNING.test(piece) ? shown(piece) : piece));
}

function shown(character) {
  const code = `U+${character.codePointAt(0).toString(16).toUpperCase()}`;
  return h("span", { class: "turning", title: gettext("A character that turns round the order of what follows") }, code);
}
