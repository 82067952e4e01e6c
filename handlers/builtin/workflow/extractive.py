"""A report without a language model: questions, passages and quotations found by the words that they share. Pure."""

import re
from collections import Counter
from collections.abc import Sequence

from handlers.builtin.workflow.checking import without_references
from handlers.builtin.workflow.passages import Passage, Ranking
from handlers.builtin.workflow.wording import sentences_in, shortened, stems
from handlers.models.offline_text import words_of

LONGEST_QUESTION = 160  # characters
LONGEST_QUOTATION = 60  # words
_ITEM = re.compile(r"(?m)^\s*(?:[-*+•]|\d+[.)])\s+(.+)$")
SAID_ALREADY = "What the given texts say on this is quoted in other sections."
BEGINNINGS = "No passage shares a word with the request, so this is how the texts begin."
NOTHING_FOUND = "No passage of the given texts shares a word with this."


def questions_for(topic: str, passages: Sequence[Passage], wanted: int) -> list[str]:
    """What the sections ask: the user's own questions, else headings and titles of the texts, else recurring words."""
    asked = _ITEM.findall(topic) or [sentence for sentence in sentences_in(topic) if sentence.endswith(("?", "？"))]
    if len(asked) < 2:
        asked = _headings(topic, passages, wanted) or _recurring(topic, passages, wanted) or [topic]  # one section
    return [shortened(question, LONGEST_QUESTION) for question in asked[:wanted]]


def _headings(topic: str, passages: Sequence[Passage], wanted: int) -> list[str]:
    """Headings of the texts (titles of those without), the ones that fit the topic best; in reading order.

    None when there are fewer than two.
    """
    headings = list(dict.fromkeys(map(heading_of, passages)))
    if len(headings) < 2:
        return []
    ranking, asked = Ranking(passages), stems(topic)
    fit = {
        heading: _fit(ranking, asked, [each for each in passages if heading_of(each) == heading])
        for heading in headings
    }
    best = sorted(headings, key=lambda heading: -fit[heading])[:wanted]
    return [heading for heading in headings if heading in best]


def heading_of(passage: Passage) -> str:
    """What a passage stands under: its section's heading, else its text's title."""
    return passage.section or passage.text.title


def _fit(ranking: Ranking, asked: frozenset[str], passages: Sequence[Passage]) -> float:
    return max(ranking.score(asked, passage.stems) for passage in passages)


def _recurring(topic: str, passages: Sequence[Passage], wanted: int) -> list[str]:
    """“Salt”, “Water”: words of several passages that the topic doesn't have, the most frequent ones.

    None for a short text, which would be torn apart.
    """
    if len(passages) < 2 * wanted:
        return []
    known = stems(topic)
    spread: Counter[str] = Counter(stem for passage in passages for stem in passage.stems - known if not stem.isdigit())
    written = {
        stem: word for passage in reversed(passages) for word in words_of(passage.content) for stem in stems(word)
    }
    frequent = [stem for stem, count in spread.most_common() if count > 1 and stem in written]
    return [written[stem].capitalize() for stem in frequent[:wanted]] if len(frequent) > 1 else []


def chosen(question: str, topic: str, passages: Sequence[Passage], everything: Ranking, limit: int) -> list[Passage]:
    """Of these passages those for a question: under that heading, where `everything` has it, else sharing its words.

    For a topic that shares no word with anything (“Sum it up”) the first ones.
    """
    if fits_nothing(question, topic, everything):
        return list(passages[:limit])
    if not any(heading_of(passage) == question for passage in everything.passages):
        return everything.best(question, passages, limit)
    under = [passage for passage in passages if heading_of(passage) == question]
    best = everything.best(topic, under, limit)
    return [*best, *(passage for passage in under if passage not in best)][:limit]


def fits_nothing(question: str, topic: str, everything: Ranking) -> bool:
    """Whether the question is the whole topic, and no passage shares a word with it."""
    return is_whole(question, topic) and not everything.best(topic, everything.passages, 1)


def is_whole(question: str, topic: str) -> bool:
    """Whether a section's question is what the report was asked for."""
    return question == shortened(topic, LONGEST_QUESTION)


def quotations(question: str, topic: str, passages: Sequence[Passage], limit: int, used: set[str]) -> str:
    """A section: the sentences that fit best, word for word, some of each passage before more of one.

    Sentences that are `used` aren't said again; "" when all are.
    """
    ranking, wanted = Ranking(passages), stems(f"{question} {topic}")
    found: list[tuple[int, int, int, str]] = []
    for number, passage in enumerate(passages, 1):
        sentences = [sentence for sentence in sentences_in(passage.content) if sentence not in used]
        best = sorted(sentences, key=lambda sentence: -ranking.score(wanted, stems(sentence)))
        found += [(turn, number, sentences.index(sentence), sentence) for turn, sentence in enumerate(best)]
    kept = sorted(found)[:limit]
    used.update(sentence for *_, sentence in kept)
    in_reading_order = sorted(kept, key=lambda entry: entry[1:3])
    return "\n".join(f"- “{_quotable(sentence)}” [{number}]" for _, number, _, sentence in in_reading_order)


def _quotable(sentence: str) -> str:
    words = re.sub('[“”"„«»]', "'", without_references(sentence)).split()
    return " ".join(words if len(words) <= LONGEST_QUOTATION else [*words[:LONGEST_QUOTATION], "…"])
