"""Given texts in passages, and which of them bear on a question.

Pure. A passage stands in its text word for word: that is what a citation rests on.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from handlers.builtin.workflow.wording import sentence_spans, squeezed, stems
from handlers.models.offline_text import words_of

LONGEST = 80  # words of a passage, where its sentences aren't longer
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$")


@dataclass(frozen=True)
class Text:
    """A text that the report is made from. `id` is what its document event is called."""

    id: str
    title: str
    content: str = field(repr=False)
    mime_type: str = "text/plain"

    @cached_property
    def squeezed(self) -> str:
        return squeezed(self.content)


@dataclass(frozen=True, eq=False)
class Passage:
    """A piece of a text, at most a paragraph. `section` is the heading that it stands under."""

    text: Text
    content: str
    section: str = ""

    @cached_property
    def stems(self) -> frozenset[str]:
        return stems(f"{self.section} {self.content}")


def occurs(passage: str, text: Text) -> bool:
    """Whether a passage stands in a text word for word, however its lines are broken."""
    return squeezed(passage) in text.squeezed


def passages_of(text: Text) -> list[Passage]:
    """The text's passages in reading order: its paragraphs, long ones in several."""
    found: list[Passage] = []
    section = ""
    for paragraph in re.split(r"\n\s*\n|(?<=\n)(?=#{1,6} )", text.content):
        lines = paragraph.strip().splitlines()
        if lines and (heading := _HEADING.match(lines[0])):
            section = heading[1]
            lines = lines[1:]
        found += [Passage(text, piece, section) for piece in _pieces("\n".join(lines).strip())]
    return found


def _pieces(paragraph: str) -> Iterable[str]:
    if len(words_of(paragraph)) <= LONGEST:
        return [paragraph] if re.search(r"\w", paragraph) else []
    pieces: list[tuple[int, int]] = []
    size = 0
    for begin, end in sentence_spans(paragraph):
        words = len(words_of(paragraph[begin:end]))
        if pieces and size + words <= LONGEST:
            pieces[-1] = (pieces[-1][0], end)
            size += words
        else:
            pieces.append((begin, end))
            size = words
    return [paragraph[begin:end].strip() for begin, end in pieces]


class Ranking:
    """How well passages fit a question: by shared words, rare ones counting more."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._spread = Counter(stem for passage in passages for stem in passage.stems)
        self.passages = passages

    def best(self, question: str, passages: Iterable[Passage], limit: int) -> list[Passage]:
        """The passages that share a word with the question, the best first; equals in reading order."""
        wanted = stems(question)
        scored = [(self.score(wanted, passage.stems), passage) for passage in passages]
        found = sorted((entry for entry in scored if entry[0] > 0), key=lambda entry: -entry[0])
        return [passage for _, passage in found[:limit]]

    def score(self, wanted: Collection[str], stems_of_other: frozenset[str]) -> float:
        """0 where nothing is shared."""
        shared = sum(
            math.log(1 + len(self.passages) / max(1, self._spread[stem]))
            for stem in stems_of_other.intersection(wanted)
        )
        return shared / math.sqrt(len(stems_of_other) + 8) if shared else 0.0
