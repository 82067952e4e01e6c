"""What a handler may say, and how much: values, whatever is no event, and answers that grow too large."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from pydantic import BaseModel

from chats import recorder as recorder_module
from chats.recorder import AnswerTooLarge, NotAnEvent, Recorder
from chats.runlog import RunLog
from handlers.events import ContentEvent, DocumentEvent, MetadataEvent, ReasoningEvent, StatusEvent
from tests.chats.recording import HELLO, Reading, Record


@dataclass
class Point:
    x: int


class Place(BaseModel):
    name: str


# What is too much


def too_much(monkeypatch, *events):
    """How many of the events are taken when 1,000 bytes may be kept."""
    monkeypatch.setattr(recorder_module, "MOST_KEPT", 1000)
    recorder = Recorder(RunLog("response", lambda log: None))
    for taken, event in enumerate(events):
        try:
            recorder.take(event)
        except AnswerTooLarge:
            return taken
    return len(events)


@pytest.mark.parametrize(
    ("event", "taken"),
    [
        (ContentEvent(content="x" * 100), 9),  # they make one part, so what is round it counts once
        (ContentEvent(content="é" * 50), 9),
        (ReasoningEvent(text="x" * 100), 9),
        (DocumentEvent(document_id="1", title="x" * 100), 3),
        (MetadataEvent(metadata={"x": "x" * 100}), 4),
    ],
)
def test_an_answer_that_would_be_too_large_for_its_message_ends_before(monkeypatch, event, taken):
    assert too_much(monkeypatch, *[event] * 50) == taken


def test_what_leaves_nothing_in_the_message_may_go_on_for_ever(monkeypatch):
    passing = [StatusEvent(message="x" * 100), ContentEvent(content="x" * 100, persist=False)]
    assert too_much(monkeypatch, *passing * 50) == 100


def test_text_that_is_shown_and_hidden_by_turns_makes_many_parts(monkeypatch):
    turns = [ContentEvent(content="x"), ContentEvent(content="x", emit=False)]
    assert too_much(monkeypatch, *turns * 50) == 9


# What is no event


@pytest.mark.parametrize("nonsense", [None, "text", b"", 5, {"type": "content"}, [HELLO], ContentEvent, object()])
def test_what_is_no_event_is_refused_by_its_type(nonsense):
    with pytest.raises(NotAnEvent, match=type(nonsense).__name__):
        Record(nonsense)


# Values


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (b"\x00\xff", "AP8="),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00+00:00"),
        ({3, 1, 2}, [1, 2, 3]),
        (Decimal("1.50"), "1.50"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Point(4), {"x": 4}),
        (Place(name="Rome"), {"name": "Rome"}),
        ("a\0b\ud800", "a\ufffdb\ufffd"),
        ({"a\0": {"\udfff"}}, {"a\ufffd": ["\ufffd"]}),
    ],
)
def test_a_value_is_stored_as_json(value, stored):
    assert Record(Reading(value=value)).fields("reading") == [{"value": stored}]


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), [1, {"deep": float("nan")}], object(), print, "x" * (1 << 20), {(1,): 2}]
)
def test_a_value_that_cant_be_stored_names_its_field_and_the_run_goes_on(value):
    record = Record(Reading(value=value), HELLO)
    (error,) = record.fields("error")
    assert error["error_type"] == "invalid_event"
    assert "value" in error["message"]
    assert record.fields("content") == [{"content": "hello"}]
    assert record.outcome == ("completed", None)


def test_a_value_that_cant_be_stored_and_nothing_after_it_is_an_error():
    assert Record(HELLO, Reading(value=float("nan"))).outcome == ("error", "invalid_event")


def test_the_audit_is_told_why_a_value_cant_be_stored():
    _, _, error = Record(Reading(value=[float("nan")])).log[0]
    assert error.details == "Reading: value[0]: is nan, which JSON can't hold"


@pytest.mark.parametrize("content", [None, 5, b"bytes", ["text"]])
def test_content_that_is_no_text_is_refused(content):
    assert Record(ContentEvent(content=content)).outcome == ("error", "invalid_event")


def test_nul_and_lone_surrogates_in_content_are_replaced():
    assert Record(ContentEvent(content="a\0\ud83d")).fields("content") == [{"content": "a\ufffd\ufffd"}]
