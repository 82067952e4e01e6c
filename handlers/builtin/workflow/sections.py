"""A report's sections, and the numbers under which they cite. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from handlers.builtin.workflow.checking import Sentence, references_in, renumbered
from handlers.builtin.workflow.passages import Passage, occurs
from handlers.events import BaseEvent, CitationEvent, ContentEvent, DocumentEvent
from handlers.models.offline_text import words_of


@dataclass(eq=False)
class Section:
    """A question of the report, the passages that bear on it, and its text when it is written.

    `[n]` in the text is the n-th of its passages. One that isn't `titled` stands right under the report's title.
    """

    question: str
    passages: list[Passage] = field(default_factory=list)
    text: str = ""
    checked: list[Sentence] = field(default_factory=list)
    by_model: bool = False
    titled: bool = True


class Citations:
    """The report's numbers: each passage has one, in the order in which they are first cited."""

    def __init__(self) -> None:
        self._numbers: dict[Passage, int] = {}
        self._documents: set[str] = set()

    def __len__(self) -> int:
        return len(self._numbers)

    def shown(self, section: Section) -> Iterator[BaseEvent]:
        """The documents that a section is the first to cite, its text with the report's numbers, its citations."""
        cited = {local: section.passages[local - 1] for local in references_in(section.text)}
        fresh = [passage for passage in dict.fromkeys(cited.values()) if passage not in self._numbers]
        for passage in fresh:
            self._numbers[passage] = len(self._numbers) + 1
            if passage.text.id not in self._documents:
                self._documents.add(passage.text.id)
                yield _document(passage)
        text = renumbered(section.text, {local: self._numbers[passage] for local, passage in cited.items()})
        heading = f"## {section.question}\n\n" if section.titled else ""
        yield ContentEvent(content=f"{heading}{text}\n\n")
        for passage in fresh:
            if occurs(passage.content, passage.text):
                yield _citation(passage, self._numbers[passage])


def _document(passage: Passage) -> DocumentEvent:
    text = passage.text
    return DocumentEvent(
        document_id=text.id, title=text.title, mime_type=text.mime_type, word_count=len(words_of(text.content))
    )


def _citation(passage: Passage, number: int) -> CitationEvent:
    return CitationEvent(
        document_id=passage.text.id,
        text=passage.content,
        section=passage.section or None,
        citation_id=str(number),
        reference_number=number,
        document_title=passage.text.title,
    )
