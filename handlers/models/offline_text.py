"""What can be said about a text without understanding it: counts, an outline, quotations.

Pure functions over text; handlers.models.offline makes a model of them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# After a stop, with or without a closing quote or bracket; CJK stops have no space behind them.
_SENTENCE_END = re.compile(
    "(?<=[.!?\u2026])\\s+|(?<=[.!?\u2026][\"'\u201d\u2019)\\]])\\s+|(?<=[\u3002\uff01\uff1f])|\n+"
)
_HEADING = re.compile(r"^(#{1,6})\s+(.+)$")
_LIST_ITEM = re.compile(r"^(\s*)(?:[-*+•]|\d+[.)])\s+(.+)$")
_WORD = re.compile("\\w+(?:['\u2019-]\\w+)*")
_MAX_LINES = 30
_MAX_LINE = 160
# Words that say nothing of what a question is about.
_STOP_WORDS = frozenset(
    _WORD.findall("""
    a about after all also am an and any are as at be been but by can could did do does for from had has have he her
    here his how i if in into is it its just me more my no not of on one or our please said say she so some tell than
    that the their them then there these they this those to up was we were what when where which who why will with
    would you your
    """)
)


@dataclass(frozen=True)
class Source:
    """A text to quote from, and what to call it."""

    title: str
    text: str


def words_of(text: str) -> list[str]:
    """The words, as written."""
    return _WORD.findall(text)


def sentences_of(text: str) -> list[str]:
    """The sentences; every line break ends one."""
    return [sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence and _WORD.search(sentence)]


def describe_counts(text: str) -> str:
    """`12 words, 2 sentences, 1 line, 61 characters`."""
    counts = {
        "word": len(words_of(text)),
        "sentence": len(sentences_of(text)),
        "line": len(text.splitlines()),
        "character": len(text),
    }
    return ", ".join(f"{number:,} {thing if number == 1 else thing + 's'}" for thing, number in counts.items())


def outline_of(text: str) -> list[str]:
    """Markdown list lines: headings and list items where the text has any, else each paragraph's first sentence."""
    lines = [line for line in map(_outline_line, text.splitlines()) if line]
    if not lines:
        paragraphs = [paragraph for paragraph in re.split(r"\n\s*\n", text) if _WORD.search(paragraph)]
        parts = paragraphs if len(paragraphs) > 1 else sentences_of(text)
        lines = [f"- {_shortened(sentences_of(part)[0])}" for part in parts]
    left_out = len(lines) - _MAX_LINES
    return lines[:_MAX_LINES] + ([f"- … and {left_out} more"] if left_out > 0 else [])


def _outline_line(line: str) -> str:
    if heading := _HEADING.match(line):
        return f"{'  ' * (len(heading[1]) - 1)}- **{_shortened(heading[2])}**"
    if item := _LIST_ITEM.match(line):
        return f"{item[1]}  - {_shortened(item[2])}"
    return ""


def quotations(question: str, sources: Iterable[Source], limit: int = 3) -> list[tuple[Source, str]]:
    """The sentences that share the most telling words with the question, the best first."""
    wanted = telling_words(question)
    found = []
    for source in sources:
        for sentence in sentences_of(source.text):
            shared = len(wanted & telling_words(sentence))
            if shared:
                found.append((shared, source, sentence))
    found.sort(key=lambda entry: -entry[0])  # stable: equals stay in reading order
    return [(source, _shortened(sentence, 400)) for _, source, sentence in found[:limit]]


def quoted(text: str) -> str:
    """The text as a Markdown quotation."""
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def telling_words(text: str) -> set[str]:
    """The words that say what a text is about, in lower case."""
    return {word for word in (word.lower() for word in words_of(text)) if word not in _STOP_WORDS and len(word) > 1}


def _shortened(text: str, length: int = _MAX_LINE) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
