"""One report in the making: read, outline, gather, write and check, conclude.

Owns the state between the steps, and what becomes of a step whose model fails: it is done by matching words, the error
is on record, and the report says so. Each step is an async generator of events; what can run at the same time does.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from handlers.builtin.workflow import extractive, prompts
from handlers.builtin.workflow.asking import Asker
from handlers.builtin.workflow.checking import check, marked, unsupported
from handlers.builtin.workflow.merging import Pulse, Step, merged
from handlers.builtin.workflow.passages import Passage, Ranking, Text, passages_of
from handlers.builtin.workflow.sections import Citations, Section
from handlers.builtin.workflow.sources import Given
from handlers.builtin.workflow.wording import shortened
from handlers.errors import ContextTooLong, HandlerError, ModelError
from handlers.events import (
    BaseEvent,
    ContentEvent,
    ErrorEvent,
    MetadataEvent,
    ResponseEndEvent,
    StatusEvent,
    ToolCallEvent,
    ToolReturnEvent,
)
from handlers.models import cost_facts
from handlers.models.offline_text import words_of

Events = AsyncGenerator[BaseEvent, None]
Made = TypeVar("Made")

UNANSWERED = "The given texts don't answer this."
NO_STATEMENTS = frozenset({UNANSWERED, extractive.NOTHING_FOUND, extractive.SAID_ALREADY})  # nothing to check
TOO_LONG = "This is more than the model can read at once."
NO_TEXT = "None of the given texts can be read, so there is nothing to report on."


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of everything. Words are of one text, and of one request to the model."""

    sections: int
    sentences: int
    passages: int
    at_once: int
    texts: int
    words_of_text: int
    words_of_request: int
    revise: bool
    pulse: float  # seconds without an event after which the user is told that it goes on


class Report:
    """See the module. The steps are to be taken in their order, each to its end."""

    def __init__(self, topic: str, given: Sequence[Given], asker: Asker, limits: Limits) -> None:
        self.topic = topic or "What the given texts say"
        self.texts: list[Text] = []
        self.sections: list[Section] = []
        self._given = given[: limits.texts]
        self._asker = asker
        self._limits = limits
        self._missing = [
            f"“{each.title}” was left out: {limits.texts} texts are read." for each in given[limits.texts :]
        ]
        self._passages: dict[str, list[Passage]] = {}
        self._ranking = Ranking([])
        self._told: set[str] = set()  # the kinds of model errors that the user has been told of
        self._said: set[str] = set()
        self._citations = Citations()

    async def write_it(self) -> Events:
        """All steps."""
        for step in (self._read, self._outline, self._gather, self._write):
            async with aclosing(step()) as events:
                async for event in events:
                    yield event
            if not self.texts:
                yield ErrorEvent(error_type="unreadable_text", message=NO_TEXT)
                return
        for event in self._conclusion():
            yield event

    # --- read

    async def _read(self) -> Events:
        yield StatusEvent(message=f"Reading {_counted(len(self._given), 'text')}…", persist=False)
        read: dict[str, Text] = {}
        async with aclosing(self._merged(partial(self._read_one, given, read) for given in self._given)) as events:
            async for event in events:
                yield event
        self.texts = [read[given.id] for given in self._given if given.id in read]
        self._passages = {text.id: passages_of(text) for text in self.texts}
        self._ranking = Ranking([passage for text in self.texts for passage in self._passages[text.id]])

    async def _read_one(self, given: Given, read: dict[str, Text]) -> Events:
        call = ToolCallEvent(tool_name="read_text", tool_args={"title": given.title})
        yield call
        try:
            content = await given.read()
        except HandlerError as error:
            self._missing.append(f"“{given.title}” couldn't be read: {error.message}")
            message = f"“{given.title}” can't be read. The report is made without it."
            yield ErrorEvent(error_type="unreadable_text", message=message, details=_details(error))
            yield _returned(call, error=error.message)
            return
        kept = _first_words(content, self._limits.words_of_text)
        if len(kept) < len(content):
            self._missing.append(f"Of “{given.title}” only the first {self._limits.words_of_text:,} words were read.")
        read[given.id] = Text(given.id, given.title, kept, given.mime_type)
        yield _returned(call, words=len(words_of(kept)))

    # --- outline

    async def _outline(self) -> Events:
        yield StatusEvent(message="Planning the report…", persist=False)
        async with aclosing(self._merged([self._planned])) as events:
            async for event in events:
                yield event

    async def _planned(self) -> Events:
        call = ToolCallEvent(tool_name="outline", tool_args={"request": shortened(self.topic, 200)})
        yield call
        questions: list[str] = []
        limit = self._limits.sections
        if self._asker.usable:
            try:
                words = self._limits.words_of_request
                reply = await self._asker.ask(prompts.outline_request(self.topic, self.texts, limit, words))
                questions = prompts.read_outline(reply, limit)
            except ModelError as error:
                for event in self._setback(error):
                    yield event
        by = _by(bool(questions))
        if not questions:
            questions = extractive.questions_for(self.topic, self._ranking.passages, limit)
        self.sections = [
            Section(question, titled=not extractive.is_whole(question, self.topic)) for question in questions
        ]
        yield _returned(call, sections=questions, by=by)

    # --- gather

    async def _gather(self) -> Events:
        yield StatusEvent(message="Gathering passages…", persist=False)
        found: dict[str, dict[int, list[Passage]]] = {}
        async with aclosing(self._merged(partial(self._gather_one, text, found) for text in self.texts)) as events:
            async for event in events:
                yield event
        limit = self._limits.passages
        for number, section in enumerate(self.sections):
            candidates = [passage for text in self.texts for passage in found[text.id][number]]
            best = extractive.chosen(section.question, self.topic, candidates, self._ranking, limit)
            rest = [passage for passage in candidates if passage not in best]
            section.passages = [*best, *rest][:limit]

    async def _gather_one(self, text: Text, found: dict[str, dict[int, list[Passage]]]) -> Events:
        call = ToolCallEvent(tool_name="gather_passages", tool_args={"title": text.title})
        yield call
        choice: dict[int, list[Passage]] | None = None
        if self._asker.usable:
            try:
                choice = await self._chosen_by_model(self._fitting(text, self._limits.words_of_request))
            except ModelError as error:
                for event in self._setback(error):
                    yield event
        by = _by(choice is not None)
        found[text.id] = choice if choice is not None else self._chosen_by_words(text)
        gathered = {passage for passages in found[text.id].values() for passage in passages}
        yield _returned(call, passages=len(gathered), of=len(self._passages[text.id]), by=by)

    async def _chosen_by_model(self, passages: list[Passage]) -> dict[int, list[Passage]] | None:
        """None when the model's reply is no answer to this. Raises ModelError."""
        questions = [section.question for section in self.sections]
        request = partial(prompts.gather_request, self.topic, questions, most=self._limits.passages)
        try:
            reply = await self._asker.ask(request(passages=passages))
        except ContextTooLong:
            passages = passages[: max(1, len(passages) // 2)]
            reply = await self._asker.ask(request(passages=passages))
        choice = prompts.read_choice(reply, len(questions), len(passages))
        if choice is None:
            return None
        return {question: [passages[number] for number in numbers] for question, numbers in choice.items()}

    def _chosen_by_words(self, text: Text) -> dict[int, list[Passage]]:
        passages, limit = self._passages[text.id], self._limits.passages
        begins = extractive.fits_nothing(self.sections[0].question, self.topic, self._ranking)
        if begins and extractive.BEGINNINGS not in self._missing:
            self._missing.append(extractive.BEGINNINGS)
        return {
            number: extractive.chosen(section.question, self.topic, passages, self._ranking, limit)
            for number, section in enumerate(self.sections)
        }

    def _fitting(self, text: Text, words: int) -> list[Passage]:
        """The text's passages in reading order; of a long one those that fit the questions best."""
        passages = self._passages[text.id]
        asked = " ".join([self.topic, *(section.question for section in self.sections)])
        best = Ranking(passages).best(asked, passages, len(passages))
        kept: set[Passage] = set()
        for passage in [*best, *(each for each in passages if each not in set(best))]:
            words -= len(words_of(passage.content))
            if words < 0 and kept:
                break
            kept.add(passage)
        return [passage for passage in passages if passage in kept]

    # --- write and check

    async def _write(self) -> Events:
        yield StatusEvent(message=f"Writing {_counted(len(self.sections), 'section')}…", persist=False)
        yield ContentEvent(content=f"# {shortened(self.topic, 120)}\n\n")
        steps = self._merged(partial(self._write_one, section) for section in self.sections)
        written: list[Section] = []
        shown = 0
        async with aclosing(steps) as events:
            async for event in events:
                if not isinstance(event, Section):
                    yield event
                    continue
                written.append(event)
                while shown < len(self.sections) and self.sections[shown] in written:
                    for part in self._citations.shown(self.sections[shown]):
                        yield part
                    shown += 1

    async def _write_one(self, section: Section) -> AsyncGenerator[BaseEvent | Section, None]:
        """Its events, and at last the section itself: it is whole."""
        if section.passages:
            async with aclosing(self._written(section)) as events:
                async for event in events:
                    yield event
        else:
            section.text = extractive.NOTHING_FOUND
        if section.text not in NO_STATEMENTS:
            async with aclosing(self._check(section)) as events:
                async for event in events:
                    yield event
        yield section

    async def _written(self, section: Section) -> Events:
        arguments = {"section": section.question, "passages": len(section.passages)}
        call = ToolCallEvent(tool_name="write_section", tool_args=arguments)
        yield call
        if self._asker.usable:
            try:
                await self._write_by_model(section)
            except ModelError as error:
                for event in self._setback(error):
                    yield event
        if not section.text:
            self._write_by_words(section)
        yield _returned(call, words=len(words_of(section.text)), by=_by(section.by_model))

    async def _write_by_model(self, section: Section) -> None:
        request = partial(prompts.write_request, self.topic, section.question, section.passages)
        section.text = prompts.read_section(await self._asker.ask(request(self._limits.sentences))) or UNANSWERED
        section.by_model = True

    def _write_by_words(self, section: Section) -> None:
        found = extractive.quotations(
            section.question, self.topic, section.passages, self._limits.sentences, self._said
        )
        section.text = found or extractive.SAID_ALREADY

    async def _check(self, section: Section) -> Events:
        call = ToolCallEvent(tool_name="check_section", tool_args={"section": section.question})
        yield call
        section.checked = check(section.text, section.passages)
        revised = False
        if section.by_model and self._limits.revise and unsupported(section.checked) and self._asker.usable:
            try:
                revised = await self._revise(section)
            except ModelError as error:
                for event in self._setback(error):
                    yield event
        problems = [{"sentence": each.text, "problem": each.problem} for each in unsupported(section.checked)]
        section.text = marked(section.text, section.checked, len(section.passages))
        yield _returned(call, sentences=len(section.checked), unsupported=problems, revised=revised)

    async def _revise(self, section: Section) -> bool:
        """Whether the model's second try is better than its first. Raises ModelError."""
        problems = unsupported(section.checked)
        request = prompts.revise_request(self.topic, section.question, section.passages, section.text, problems)
        text = prompts.read_section(await self._asker.ask(request))
        checked = check(text, section.passages)
        better = len(unsupported(checked)) < len(problems) and any(not each.problem for each in checked)
        if better:
            section.text, section.checked = text, checked
        return better

    # --- conclude

    def _conclusion(self) -> Iterator[BaseEvent]:
        if self._missing:
            yield ContentEvent(
                content="## What is missing\n\n" + "".join(f"- {each}\n" for each in self._missing) + "\n"
            )
        yield ContentEvent(content=f"---\n\n*{self._how_it_was_made()}*\n")
        checked = [sentence for section in self.sections for sentence in section.checked]
        facts = {
            "texts": len(self.texts),
            "sections": len(self.sections),
            "sections_by_model": sum(section.by_model for section in self.sections),
            "sentences": len(checked),
            "unsupported": len(unsupported(checked)),
            "citations": len(self._citations),
            "missing": len(self._missing),
        }
        cost = cost_facts(self._asker.model_id, self._asker.usage)
        yield MetadataEvent(metadata={"report": facts, **cost})
        yield ResponseEndEvent(usage=dict(self._asker.usage))

    def _how_it_was_made(self) -> str:
        by_model = sum(section.by_model for section in self.sections)
        checked = [sentence for section in self.sections for sentence in section.checked]
        texts = _counted(len(self.texts), "text")
        if not by_model:
            made = f"Put together from {texts} by matching words: no language model wrote or understood any of this."
        elif by_model < len(self.sections):
            others = _counted(len(self.sections) - by_model, "section")
            made = f"Made from {texts} by {self._asker.label}, but for {others} put together by matching words."
        else:
            made = f"Made from {texts} by {self._asker.label}."
        wrong = len(unsupported(checked))
        outcome = f"{len(checked) - wrong} of {_counted(len(checked), 'sentence')} stand on the passages that they cite"
        marks = f"; {wrong} {'is' if wrong == 1 else 'are'} marked" if wrong else ""
        return f"{made} {outcome}{marks}. The check compares words, it doesn't understand them."

    # --- what the steps share

    def _merged(self, steps: Iterable[Step[BaseEvent | Made]]) -> AsyncGenerator[BaseEvent | Made, None]:
        return merged(steps, self._limits.at_once, Pulse(self._limits.pulse, self._still_working))

    def _still_working(self) -> BaseEvent:
        return StatusEvent(
            message=f"The model has written {_counted(self._asker.words, 'word')} so far…", persist=False
        )

    def _setback(self, error: ModelError) -> Iterator[BaseEvent]:
        """What the user is told of a failed request: each kind once, and it is on record."""
        if error.error_type not in self._told:
            self._told.add(error.error_type)
            said = TOO_LONG if isinstance(error, ContextTooLong) else error.message
            message = f"{said} What it would have done here is done by matching words."
            details = {"model_id": self._asker.model_id, **_details(error)}
            yield ErrorEvent(error_type=error.error_type, message=message, details=details)


def _returned(call: ToolCallEvent, **result: Any) -> ToolReturnEvent:
    return ToolReturnEvent(tool_name=call.tool_name, tool_id=call.tool_id, result=result)


def _details(error: HandlerError) -> dict[str, str]:
    return {"error": type(error).__name__, "reason": error.message, "detail": error.detail}


def _by(model: bool) -> str:
    return "model" if model else "words"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _first_words(text: str, most: int) -> str:
    """The text up to so many words, cut behind a word."""
    seen = 0
    for position, character in enumerate(text):
        if character.isspace() and position and not text[position - 1].isspace():
            seen += 1
            if seen == most:
                return text[:position]
    return text
