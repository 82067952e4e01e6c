"""Sentences, and what words two texts share.

Pure. The measure is made of words: it sees that two sentences speak of the same things, never what they mean.
"""

import re
from itertools import pairwise

from handlers.models.offline_text import telling_words

_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# A stop ends a sentence where a space follows; what closes a quotation, and references, still belong to it.
_SENTENCE = re.compile(
    "[^\\S\n]*[^\n]*?(?:"
    "[.!?\u2026]+[\"'\u201d\u2019)\\]]*(?:\\s*\\[\\d+\\])*(?=\\s|$)"
    "|[\u3002\uff01\uff1f]+[\u201d\u300d)]*(?:\\s*\\[\\d+\\])*"
    "|(?=\n|\\Z))"
)
_STEM = 6  # letters: pulled, pulling and pulls are one word, which is as far as this goes


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where the sentences begin and end, the references behind a stop included; a line's end ends one."""
    return [found.span() for found in _SENTENCE.finditer(text) if re.search(r"\w", found[0])]


def sentences_in(text: str) -> list[str]:
    """The sentences as they stand in the text."""
    return [text[begin:end].strip() for begin, end in sentence_spans(text)]


def stems(text: str) -> frozenset[str]:
    """What a text speaks of: telling words without endings; pairs of characters where no spaces part words."""
    found: set[str] = set()
    for word in telling_words(text):
        if _UNSPACED.search(word):
            found.update(first + second for first, second in pairwise(word))
        else:
            found.add(word if word.isdigit() else word.removesuffix("'s").removesuffix("\u2019s").rstrip("s")[:_STEM])
    return frozenset(found)


def squeezed(text: str) -> str:
    """The text with every run of white space as one space: how a passage is looked for in its text."""
    return " ".join(text.split())


def shortened(text: str, length: int) -> str:
    """The text in one line of at most so many characters."""
    line = squeezed(text)
    return line if len(line) <= length else line[: length - 1].rstrip() + "\u2026"
