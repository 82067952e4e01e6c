/**
 * Character references (`&amp;`, `&#8364;`) in text. HTML 4's names: browsers know the others, but tell them only
 * to who gives them markup to parse, which this page's policy forbids.
 */

const LATIN = // from U+00A0 on
  "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro " +
  "para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil " +
  "Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave " +
  "Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml " +
  "igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute " +
  "thorn yuml";
const GREEK = // from U+0391 and U+03B1 on; the gap is where final sigma has no capital
  "Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho - Sigma Tau Upsilon Phi Chi Psi Omega";
const OTHERS =
  "amp & lt < gt > quot \" apos ' OElig Œ oelig œ Scaron Š scaron š Yuml Ÿ fnof ƒ circ ˆ tilde ˜ ensp \u2002 emsp \u2003 " +
  "thinsp \u2009 ndash – mdash — lsquo ‘ rsquo ’ sbquo ‚ ldquo “ rdquo ” bdquo „ dagger † Dagger ‡ bull • hellip … " +
  "permil ‰ prime ′ Prime ″ lsaquo ‹ rsaquo › euro € trade ™ larr ← uarr ↑ rarr → darr ↓ harr ↔ lArr ⇐ rArr ⇒ hArr ⇔ " +
  "forall ∀ part ∂ exist ∃ empty ∅ nabla ∇ isin ∈ notin ∉ prod ∏ sum ∑ minus − radic √ prop ∝ infin ∞ and ∧ or ∨ cap ∩ " +
  "cup ∪ int ∫ there4 ∴ sim ∼ cong ≅ asymp ≈ ne ≠ equiv ≡ le ≤ ge ≥ sub ⊂ sup ⊃ sube ⊆ supe ⊇ oplus ⊕ otimes ⊗ perp ⊥ " +
  "sdot ⋅ loz ◊ spades ♠ clubs ♣ hearts ♥ diams ♦ zwnj \u200C zwj \u200D lrm \u200E rlm \u200F";

const NAMED = new Map();
LATIN.split(" ").forEach((name, index) => NAMED.set(name, String.fromCodePoint(0xa0 + index)));
GREEK.split(" ").forEach((name, index) => {
  NAMED.set(name, String.fromCodePoint(0x391 + index));
  NAMED.set(name.toLowerCase(), String.fromCodePoint(0x3b1 + index));
});
NAMED.delete("-");
NAMED.set("sigmaf", "ς");
const others = OTHERS.split(/ (?=\w+ )/);
for (const pair of others) NAMED.set(pair.slice(0, pair.indexOf(" ")), pair.slice(pair.indexOf(" ") + 1));

const REFERENCE = /&(?:([A-Za-z][A-Za-z0-9]{1,7})|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));/g;

/** `text` with its character references resolved; what isn't one stays as it is. */
export function decoded(text) {
  if (!text.includes("&")) return text;
  return text.replace(REFERENCE, (whole, name, decimal, hexadecimal) => {
    if (name) return NAMED.get(name) ?? whole;
    return character(decimal ? Number(decimal) : Number.parseInt(hexadecimal, 16));
  });
}

function character(code) {
  const isNone = code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff);
  return isNone ? "\uFFFD" : String.fromCodePoint(code);
}
