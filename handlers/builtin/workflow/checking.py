"""Whether what a report says stands in the passages that it cites.

Pure. It sees words: a sentence is supported when its passages are real, share its telling words, and have its numbers
and quotations. That a sentence turns a passage's meaning round, it doesn't see.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from handlers.builtin.workflow.passages import Passage, occurs
from handlers.builtin.workflow.wording import sentence_spans, squeezed, stems

MARK = "*(not supported by the given texts)*"
SHARED = 0.5  # of a sentence's telling words, that its passages must have

_REFERENCE = re.compile(r"\s*\[(\d+)\]")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_QUOTATION = re.compile('["“„«]([^"“”„«»]{12,})["”“»]')
_MARKS = re.compile("[\"'“”„«»‘’]")
_BULLET = re.compile(r"\s*(?:[-*+•]|\d+[.)])\s+")


@dataclass(frozen=True)
class Sentence:
    """A sentence of a report, where it stands in the text, and what is wrong with it, "" for nothing."""

    begin: int
    end: int
    text: str
    problem: str


def check(text: str, passages: Sequence[Passage]) -> list[Sentence]:
    """Every sentence of a section, headings apart. `[n]` refers to the n-th of the passages, from 1."""
    found = []
    for begin, end in sentence_spans(text):
        sentence = text[begin:end]
        if not sentence.lstrip().startswith("#"):
            found.append(Sentence(begin, end, sentence.strip(), problem_of(sentence, passages)))
    return found


def problem_of(sentence: str, passages: Sequence[Passage]) -> str:
    """Why a sentence isn't supported; "" when it is."""
    numbers = references_in(sentence)
    if not numbers:
        return "It cites no passage."
    unknown = [number for number in numbers if not 0 < number <= len(passages)]
    if unknown:
        return f"There is no passage [{unknown[0]}]."
    cited = [passages[number - 1] for number in numbers]
    if not all(occurs(passage.content, passage.text) for passage in cited):
        return "A passage that it cites isn't in its text."
    return _difference(without_references(sentence), cited)


def _difference(said: str, cited: Sequence[Passage]) -> str:
    there = _plain(" ".join(passage.content for passage in cited))
    for quotation in _QUOTATION.findall(said):
        if _plain(quotation).rstrip(" .,…") not in there:
            return f"“{squeezed(quotation)}” isn't in the cited passages."
    missing = set(_NUMBER.findall(_BULLET.sub("", said))) - set(_NUMBER.findall(there))
    if missing:
        return f"{min(missing)} isn't in the cited passages."
    words, known = stems(said), frozenset().union(*(passage.stems for passage in cited))
    if words and len(words & known) < SHARED * len(words):
        return "It shares too few words with the cited passages."
    return ""


def references_in(text: str) -> list[int]:
    """The numbers in brackets, each once, in their order."""
    return list(dict.fromkeys(int(number) for number in _REFERENCE.findall(text)))


def without_references(text: str) -> str:
    """The text alone."""
    return _REFERENCE.sub("", text)


def unsupported(sentences: Iterable[Sentence]) -> list[Sentence]:
    """Those with a problem."""
    return [sentence for sentence in sentences if sentence.problem]


def _plain(text: str) -> str:
    """In lower case, on one line, without references, with one kind of quotation marks."""
    return _MARKS.sub("'", squeezed(without_references(text)).lower())


def marked(text: str, sentences: Sequence[Sentence], known: int) -> str:
    """The text with a mark behind each unsupported sentence, and without references to passages that don't exist."""
    for sentence in sorted(sentences, key=lambda each: -each.end):
        if sentence.problem:
            text = f"{text[: sentence.end].rstrip()} {MARK}{text[sentence.end :]}"
    return _REFERENCE.sub(lambda found: found[0] if 0 < int(found[1]) <= known else "", text)


def renumbered(text: str, numbers: dict[int, int]) -> str:
    """The text with each reference's number replaced."""
    return _REFERENCE.sub(lambda found: found[0].replace(found[1], str(numbers[int(found[1])])), text)
