"""What of a message can be searched, in which words, and how a hit is shown. Pure: no Django, no clock, no I/O.

Owns folding (case, accents and widths don't matter), the tokens that the index holds and a query asks for, and
snippets with their highlights. Scripts without spaces between words (Chinese, Japanese, Thai, …) are indexed by
pairs of characters, so that any run of them is found. Changing the tokens means rebuilding every index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "MAX_QUERY",
    "Highlighted",
    "Term",
    "highlight",
    "parse_query",
    "pieces_of",
    "snippet_of",
    "text_of",
    "tokens_of",
]

MAX_QUERY = 200  # characters
MAX_TERMS = 12
MAX_TOKEN = 64  # characters; a longer word is indexed by its beginning
PIECE = 8000  # characters of a message that are one entry of the index
LOOK_BACK = 200  # characters in which a piece's end looks for a space
SNIPPET = 180  # characters
BEFORE_MATCH = 50

# Thai, Lao, Myanmar, Khmer; kana; Han, with its extensions. Hangul has spaces.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_UNIT = re.compile(f"(?P<run>[{_UNSPACED}]+)|[^\\W{_UNSPACED}]+")
_RUN = re.compile(f"[{_UNSPACED}]")
_WORD = re.compile(rf"(\w{{1,{MAX_TOKEN}}})\w*")
_WORD_BEFORE = f"(?<![^\\W{_UNSPACED}])"
_QUOTED = re.compile(r'"([^"]*)"?|(\S+)')


class _Folding(dict[int, str]):
    """code point → what it counts as. Filled as characters are met, to a bound: there are a million of them."""

    MOST = 50_000

    def __missing__(self, code: int) -> str:
        apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", chr(code)).casefold())
        folded = unicodedata.normalize("NFC", "".join(char for char in apart if not "\u0300" <= char <= "\u036f"))
        if len(self) < self.MOST:
            self[code] = folded
        return folded


_folding = _Folding()


def fold(text: str) -> str:
    """`text` without what a search shouldn't depend on."""
    return text.lower() if text.isascii() else text.translate(_folding)


# What is indexed


def text_of(parts: Iterable[dict[str, Any]]) -> str:
    """What was said in `parts`, with the names of documents and files. Give it what the owner sees, never more."""
    found = []
    for part in parts:
        match part["kind"]:
            case "text":
                found.append(part["content"])
            case "document":
                found.append(part.get("title") or "")
            case "file" | "image":
                found.append(part.get("name") or "")
    return unicodedata.normalize("NFC", "\n".join(text for text in found if text))


def pieces_of(text: str, start: int = 0) -> Iterator[tuple[int, str]]:
    """`text` from `start` in pieces of the index, each with its offset; cut at spaces where there are any."""
    while start < len(text):
        end = start + PIECE
        if end < len(text):
            spaces = [text.rfind(space, end - LOOK_BACK, end) for space in (" ", "\n")]
            end = max(spaces) + 1 if max(spaces) > start else end
        yield start, text[start:end]
        start = end


def tokens_of(text: str) -> list[str]:
    """The tokens of a piece, in order: words, and of a run without spaces each pair of characters and its last."""
    folded = fold(text)
    if folded.isascii() or _RUN.search(folded) is None:
        return _WORD.findall(folded)  # the same, and takes half the time
    tokens = []
    for unit in _UNIT.finditer(folded):
        if unit["run"]:
            tokens += [*_pairs(unit[0]), unit[0][-1]]
        else:
            tokens.append(unit[0][:MAX_TOKEN])
    return tokens


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


# What is asked for


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that must be there: its words or runs, one after the other, the last perhaps only begun."""

    units: tuple[str, ...]

    @property
    def tokens(self) -> list[str]:
        """As `tokens_of` has them; the last is a prefix of what may stand in the index."""
        tokens = []
        for unit in self.units[:-1]:
            tokens += tokens_of(unit)
        last = self.units[-1]
        if not _is_run(last):
            return [*tokens, last[:MAX_TOKEN]]
        return [*tokens, *(_pairs(last) or [last])]

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds it in folded text."""
        steps = [re.escape(unit) if _is_run(unit) else _WORD_BEFORE + re.escape(unit) for unit in self.units]
        return re.compile(r"\W*".join(steps))


def _is_run(unit: str) -> bool:
    found = _UNIT.match(unit)
    return found is not None and found["run"] is not None


def parse_query(query: str) -> list[Term]:
    """The terms of what a person typed; words in double quotes are one term. None where nothing can be looked for."""
    terms = []
    for quoted, plain in _QUOTED.findall(unicodedata.normalize("NFC", query)[:MAX_QUERY]):
        units = tuple(unit[0] for unit in _UNIT.finditer(fold(quoted or plain)))
        if units:
            terms.append(Term(units))
    return terms[:MAX_TERMS]


# What is shown


@dataclass(frozen=True, slots=True)
class Highlighted:
    """A text with the stretches that matched: [start, end) in UTF-16 units, as JavaScript counts."""

    text: str
    ranges: list[tuple[int, int]]


def highlight(text: str, terms: Sequence[Term]) -> Highlighted:
    """All of `text`, on one line."""
    return Highlighted(_one_line(text), _in_utf16(text, _matches(text, terms)))


def snippet_of(piece: str, terms: Sequence[Term]) -> Highlighted:
    """The stretch of a piece round its first match."""
    matches = _matches(piece, terms)
    first = matches[0][0] if matches else 0
    start, end = _window(piece, first)
    before, after = "…" if start > 0 else "", "…" if end < len(piece) else ""
    shown = before + piece[start:end] + after
    shift = len(before) - start
    ranges = [(begin + shift, min(stop, end) + shift) for begin, stop in matches if start <= begin < end]
    return Highlighted(_one_line(shown), _in_utf16(shown, ranges))


def _window(piece: str, first: int) -> tuple[int, int]:
    start = max(0, first - BEFORE_MATCH)
    space = piece.find(" ", start, first)
    start = space + 1 if start > 0 and space >= 0 else start
    end = min(len(piece), start + SNIPPET)
    space = piece.rfind(" ", first + 1, end)
    return start, space if end < len(piece) and space > first + SNIPPET // 3 else end


def _one_line(text: str) -> str:
    """Each control character as a space: as long as it was, so that the ranges hold."""
    return "".join(" " if char < " " or char in "\x7f\x85\u2028\u2029" else char for char in text)


def _matches(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Where the terms stand, [start, end) in code points of `text`, in order and without overlaps."""
    folded, origins = _folded_with_origins(text)
    found = sorted(
        (origins[match.start()], origins[match.end() - 1] + 1)
        for term in terms
        for match in term.pattern.finditer(folded)
    )
    merged: list[tuple[int, int]] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _folded_with_origins(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and for each of its characters the place of the one that it came from."""
    if text.isascii():
        return text.lower(), range(len(text))
    pieces = [_folding[ord(char)] for char in text]
    return "".join(pieces), [at for at, piece in enumerate(pieces) for _ in piece]


def _in_utf16(text: str, ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges as they are where characters beyond U+FFFF count twice."""
    if all(char <= "\uffff" for char in text):
        return list(ranges)
    units = [0]
    for char in text:
        units.append(units[-1] + (2 if char > "\uffff" else 1))
    return [(units[start], units[end]) for start, end in ranges]
