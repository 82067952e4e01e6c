"""The workflow handler, step by step: with a model that says what a test wants, without one, and when things fail."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import pytest

from handlers.builtin.workflow import WorkflowHandler
from handlers.builtin.workflow.checking import MARK
from handlers.builtin.workflow.extractive import BEGINNINGS, NOTHING_FOUND
from handlers.builtin.workflow.handler import NOTHING_GIVEN
from handlers.builtin.workflow.passages import Text, occurs
from handlers.builtin.workflow.report import NO_TEXT, UNANSWERED
from handlers.errors import AttachmentError, ContextTooLong, ModelError, ModelThrottled, ModelUnavailable
from handlers.events import (
    BaseEvent,
    CitationEvent,
    DocumentEvent,
    ErrorEvent,
    MetadataEvent,
    StatusEvent,
    ToolCallEvent,
    ToolReturnEvent,
)
from handlers.messages import FilePart, Message, MessagePart
from handlers.models import ModelDescription, ModelEvent, ModelProvider, ModelRequest, providers
from handlers.testing import attachment, collect, conversation, text_of

MOON = "The moon pulls the sea. When sun and moon stand in line, spring tides are higher."
TIDES = """# Timing

High tide follows the moon by about 50 minutes a day.

# Power

Tidal power stations turn the flow into electricity. The largest yields 254 megawatts.
"""
QUESTION = "How do tides work?"
TEXTS = [attachment("tides.md", TIDES.encode(), "text/markdown")]
CONTEXT = [{"type": "note", "title": "Moon", "content": MOON}]

Reply = str | Exception
Script = Callable[[str], Reply]


class Writer(ModelProvider):
    """Answers each request with what `script` makes of its last text; keeps what it was asked."""

    name = "writer"

    def __init__(self) -> None:
        self.script: Script = a_good_model
        self.requests: list[ModelRequest] = []
        self.open = self.most_open = 0
        self.gate: asyncio.Event | None = None

    def models(self) -> list[ModelDescription]:
        return [ModelDescription(id="writer", label="Writer", provider=self.name)]

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        self.requests.append(request)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            yield {"messageStart": {"role": "assistant"}}
            if self.gate:
                await self.gate.wait()
            await asyncio.sleep(0)
            reply = self.script(request.messages[-1]["content"][-1]["text"])
            if isinstance(reply, Exception):
                raise reply
            yield {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": reply}}}
            yield {"messageStop": {"stopReason": "end_turn"}}
            yield {"metadata": {"usage": {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12}}}
        finally:
            self.open -= 1


def a_good_model(asked: str) -> Reply:
    if "Plan the report" in asked:
        return "1. What moves the sea?\n2. What is it good for?"
    if "Which of these passages" in asked:
        return "1: [1]\n2: [2]"
    return "The moon pulls the sea [1]." if "What moves" in asked else "The flow turns into electricity [1]."


@pytest.fixture
def model() -> Iterator[Writer]:
    writer = Writer()
    providers.register(writer)
    yield writer
    providers.unregister("writer")


async def _report(
    *, texts: list[Any] = TEXTS, handler: WorkflowHandler | None = None, **values: Any
) -> list[BaseEvent]:
    request = Message(parts=[MessagePart(content=QUESTION), *texts])
    return await collect(handler or WorkflowHandler(), request, **{"context": CONTEXT, **values})


def _of(events: list[BaseEvent], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def _returns(events: list[BaseEvent], tool: str) -> list[Any]:
    return [event.result for event in _of(events, ToolReturnEvent) if event.tool_name == tool]


def _facts(events: list[BaseEvent]) -> dict[str, Any]:
    (metadata,) = _of(events, MetadataEvent)
    return metadata.metadata["report"]


# --- with a model


async def test_a_model_plans_chooses_and_writes_and_each_sentence_is_cited(model: Writer) -> None:
    events = await _report(model_id="writer")
    said = text_of(events)
    assert "## What moves the sea?\n\nThe moon pulls the sea [1]." in said
    assert "## What is it good for?\n\nThe flow turns into electricity [2]." in said
    assert "Made from 2 texts by Writer. 2 of 2 sentences stand on the passages that they cite." in said
    assert [(each.document_id, each.reference_number) for each in _of(events, CitationEvent)] == [
        ("context-1", 1),
        ("tides.md", 2),
    ]
    assert events[-1].usage["totalTokens"] == 12 * len(model.requests)


async def test_every_tool_call_has_its_return_and_every_citation_its_document_before_it(model: Writer) -> None:
    events = await _report(model_id="writer")
    calls = [event.tool_id for event in _of(events, ToolCallEvent)]
    assert sorted(calls) == sorted(event.tool_id for event in _of(events, ToolReturnEvent))
    for place, event in enumerate(events):
        if isinstance(event, CitationEvent):
            assert event.document_id in [each.document_id for each in _of(events[:place], DocumentEvent)]


async def test_each_citations_passage_stands_in_its_text(model: Writer) -> None:
    contents = {"context-1": MOON, "tides.md": TIDES}
    citations = _of(await _report(model_id="writer"), CitationEvent)
    assert citations
    for citation in citations:
        assert occurs(citation.text, Text(citation.document_id, "", contents[citation.document_id]))


async def test_an_unsupported_sentence_is_revised_and_marked_if_that_does_not_help(model: Writer) -> None:
    def stubborn(asked: str) -> Reply:
        return "Fish drive the tides, 90 of them [1]." if "The question: " in asked else a_good_model(asked)

    model.script = stubborn
    events = await _report(model_id="writer")
    assert f"Fish drive the tides, 90 of them [1]. {MARK}" in text_of(events)
    assert _returns(events, "check_section")[0]["unsupported"][0]["problem"] == "90 isn't in the cited passages."
    assert "2 are marked" in text_of(events)
    assert _facts(events)["unsupported"] == 2


async def test_a_revision_that_helps_replaces_the_draft(model: Writer) -> None:
    def sloppy(asked: str) -> Reply:
        return "Nobody knows." if "from these passages alone" in asked else a_good_model(asked)

    model.script = sloppy
    events = await _report(model_id="writer")
    assert "Nobody knows" not in text_of(events)
    assert [each["revised"] for each in _returns(events, "check_section")] == [True, True]
    assert _facts(events)["unsupported"] == 0


async def test_without_revise_the_model_is_not_asked_again(model: Writer) -> None:
    model.script = lambda asked: "Nobody knows." if "alone" in asked else a_good_model(asked)
    handler = WorkflowHandler(WorkflowHandler.Config(revise=False))
    await _report(model_id="writer", handler=handler)
    assert len(model.requests) == 1 + 2 + 2  # the outline, two texts, two sections


async def test_a_reference_to_a_passage_that_does_not_exist_is_no_citation(model: Writer) -> None:
    model.script = lambda asked: (
        "The moon pulls the sea [9]." if "alone" in asked or "draft" in asked else a_good_model(asked)
    )
    events = await _report(model_id="writer")
    assert "[9]" not in text_of(events)
    assert f"The moon pulls the sea. {MARK}" in text_of(events)


async def test_the_model_may_say_that_the_texts_do_not_answer(model: Writer) -> None:
    model.script = lambda asked: "NOTHING." if "alone" in asked else a_good_model(asked)
    assert text_of(await _report(model_id="writer")).count(UNANSWERED) == 2


@pytest.mark.parametrize("reply", ["", "I'd rather not.", "[99]", "***"])
async def test_replies_that_are_no_answers_are_done_by_words(model: Writer, reply: str) -> None:
    model.script = lambda asked: reply
    events = await _report(model_id="writer")
    assert {each["by"] for each in _returns(events, "gather_passages")} == {"words"}
    assert not _of(events, ErrorEvent)
    assert events[-1].status == "completed"


async def test_a_text_that_is_too_long_for_the_model_is_asked_about_once_more_in_part(model: Writer) -> None:
    refused: list[str] = []

    def short_sighted(asked: str) -> Reply:
        if "Which of these passages" in asked and len(refused) < 2:
            refused.append(asked)
            return ContextTooLong()
        return a_good_model(asked)

    model.script = short_sighted
    events = await _report(model_id="writer")
    assert len(refused) == 2
    assert not _of(events, ErrorEvent)
    assert {each["by"] for each in _returns(events, "gather_passages")} == {"model"}


async def test_no_more_requests_at_once_than_configured(model: Writer) -> None:
    texts = [attachment(f"{number}.txt", MOON.encode(), "text/plain") for number in range(9)]
    handler = WorkflowHandler(WorkflowHandler.Config(at_once=3))
    await _report(model_id="writer", texts=texts, handler=handler)
    assert model.most_open == 3
    assert model.open == 0


async def test_the_persona_is_told_and_material_is_set_apart(model: Writer) -> None:
    await _report(model_id="writer", persona="You are a pilot.")
    for request in model.requests:
        assert request.system[-1] == {"text": "You are a pilot."}
        assert "<text" in request.messages[0]["content"][0]["text"]


async def test_a_silent_model_is_told_of(model: Writer, settings: Any) -> None:
    settings.WORKBENCH_IDLE_TIMEOUT = 0.03
    model.gate = asyncio.Event()
    asked = Message(parts=[MessagePart(content=QUESTION), *TEXTS])
    stream = WorkflowHandler().handle(message_history=[], user_message=asked, model_id="writer")
    async for event in stream:
        if isinstance(event, StatusEvent) and "so far" in event.message:
            assert not event.persist
            model.gate.set()
    assert model.gate.is_set()


async def test_a_closed_report_leaves_no_request_open(model: Writer) -> None:
    model.gate = asyncio.Event()
    before = asyncio.all_tasks()
    asked = Message(parts=[MessagePart(content=QUESTION), *TEXTS])

    async def run() -> None:
        await collect(WorkflowHandler(), asked, model_id="writer", context=CONTEXT)

    running = asyncio.create_task(run())
    while not model.open:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert model.open == 0
    assert asyncio.all_tasks() == before


# --- when the model fails


async def test_a_model_that_is_away_is_asked_once_and_the_report_is_made_without_it(model: Writer) -> None:
    model.script = lambda asked: ModelThrottled(detail="429, three times")
    events = await _report(model_id="writer")
    (error,) = _of(events, ErrorEvent)
    assert (error.error_type, error.details["detail"]) == ("throttled", "429, three times")
    assert "429" not in text_of(events) + error.message
    assert len(model.requests) == 1
    assert "no language model wrote or understood any of this" in text_of(events)
    assert "“The moon pulls the sea.” [" in text_of(events)
    assert events[-1].status == "completed"


async def test_one_text_that_the_model_fails_on_is_searched_by_words_and_the_others_by_it(model: Writer) -> None:
    seen: list[str] = []

    def hiccup(asked: str) -> Reply:
        if "Which of these passages" in asked:
            seen.append(asked)
            return ModelError(detail="cut") if len(seen) == 1 else a_good_model(asked)
        return a_good_model(asked)

    model.script = hiccup
    events = await _report(model_id="writer")
    assert sorted(each["by"] for each in _returns(events, "gather_passages")) == ["model", "words"]
    assert [error.error_type for error in _of(events, ErrorEvent)] == ["model_error"]
    assert _facts(events)["sections_by_model"] == 2


async def test_a_model_that_goes_away_midway_leaves_what_it_wrote(model: Writer) -> None:
    def leaving(asked: str) -> Reply:
        return ModelUnavailable() if "What is it good for" in asked and "alone" in asked else a_good_model(asked)

    model.script = leaving
    events = await _report(model_id="writer")
    assert _facts(events)["sections_by_model"] == 1
    assert "by Writer, but for 1 section put together by matching words" in text_of(events)


async def test_an_unknown_model_is_a_setback_not_an_end() -> None:
    events = await _report(model_id="no-such-model")
    assert "no language model wrote" in text_of(events)
    assert events[-1].status == "completed"


# --- without a model


async def test_offline_it_quotes_word_for_word_and_says_so() -> None:
    events = await _report()
    said = text_of(events)
    assert "“High tide follows the moon by about 50 minutes a day.” [" in said
    assert "no language model wrote or understood any of this" in said
    assert _facts(events)["unsupported"] == 0
    assert _facts(events)["sections_by_model"] == 0


async def test_a_short_text_is_not_torn_apart_and_its_one_section_needs_no_second_heading() -> None:
    asked = Message(
        parts=[MessagePart(content="What pulls the sea?"), attachment("a.txt", MOON.encode(), "text/plain")]
    )
    said = text_of(await collect(WorkflowHandler(), asked))
    assert said.startswith("# What pulls the sea?\n\n- “The moon pulls the sea.” [1]\n")
    assert "##" not in said


async def test_a_request_that_shares_no_word_gets_the_beginnings_and_is_told_so() -> None:
    asked = Message(parts=[MessagePart(content="Summarise!"), attachment("a.txt", MOON.encode(), "text/plain")])
    said = text_of(await collect(WorkflowHandler(), asked))
    assert "“The moon pulls the sea.” [1]" in said
    assert f"## What is missing\n\n- {BEGINNINGS}" in said


async def test_a_section_on_which_the_texts_say_nothing_says_that() -> None:
    asked = Message(parts=[MessagePart(content="What moves the sea? Who invented cheese?"), *TEXTS])
    assert f"## Who invented cheese?\n\n{NOTHING_FOUND}" in text_of(await collect(WorkflowHandler(), asked))


async def test_a_text_that_cannot_be_read_is_recorded_named_and_left_out() -> None:
    async def gone() -> bytes:
        raise AttachmentError(detail="no such object")

    lost = FilePart(file_id="lost", name="lost.txt", mime_type="text/plain", reader=gone)
    events = await _report(texts=[lost, attachment("scan.pdf", b"%PDF-1.7", "application/pdf"), *TEXTS])
    assert [error.error_type for error in _of(events, ErrorEvent)] == ["unreadable_text"] * 2
    assert "## What is missing\n\n- “lost.txt” couldn't be read" in text_of(events)
    assert "no such object" not in text_of(events)
    assert _facts(events) | {"texts": 2, "missing": 2} == _facts(events)
    assert events[-1].status == "completed"


async def test_when_nothing_can_be_read_the_last_event_is_the_error() -> None:
    events = await _report(texts=[attachment("scan.pdf", b"%PDF", "application/pdf")], context=None)
    assert isinstance(events[-1], ErrorEvent)
    assert events[-1].message == NO_TEXT


async def test_the_example_that_the_page_offers_makes_a_report() -> None:
    events = await collect(WorkflowHandler(), WorkflowHandler.examples[0])
    assert _facts(events) | {"texts": 1, "unsupported": 0} == _facts(events)
    assert _facts(events)["citations"] > 0


@pytest.mark.parametrize("text", ["", "Hello", "What is a tide?"])
async def test_without_a_text_it_says_what_to_give(text: str) -> None:
    (error,) = await collect(WorkflowHandler(), text)
    assert (error.error_type, error.message) == ("nothing_to_read", NOTHING_GIVEN)


async def test_limits_are_kept_and_what_is_left_out_is_named() -> None:
    config = WorkflowHandler.Config(max_texts=1, max_words_per_text=100)
    long = attachment("long.txt", ("The sea is wide and wet. " * 50).encode(), "text/plain")
    events = await _report(texts=[long, *TEXTS], context=None, handler=WorkflowHandler(config))
    assert "“tides.md” was left out: 1 texts are read." in text_of(events)
    assert "Of “long.txt” only the first 100 words were read." in text_of(events)
    assert _returns(events, "read_text") == [{"words": 100}]


async def test_a_user_chooses_how_many_sections_and_sentences() -> None:
    options = WorkflowHandler.UserOptions(sections=1, sentences=1)
    events = await _report(options=options)
    assert len(_returns(events, "write_section")) == 1
    assert _returns(events, "check_section")[0]["sentences"] == 1


async def test_texts_given_earlier_in_the_chat_are_worked_on() -> None:
    history = conversation("A text:\n\n" + TIDES * 3, "Thank you.")
    events = await collect(WorkflowHandler(), "When is high tide?", message_history=history)
    assert "High tide follows the moon" in text_of(events)


async def test_a_text_may_come_in_the_message_itself() -> None:
    events = await collect(WorkflowHandler(), f"When is high tide?\n\n{TIDES * 3}")
    assert text_of(events).startswith("# When is high tide?\n")
    assert "High tide follows the moon" in text_of(events)
