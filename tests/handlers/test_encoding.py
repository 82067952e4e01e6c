"""Events become plain JSON fields, and a field that can't is named."""

import json
import uuid
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from handlers.encoding import MAX_EVENT_BYTES, EncodedEvent, EncodingError, canonical_json, encode_event
from handlers.events import (
    BUILT_IN_EVENTS,
    BaseEvent,
    CitationEvent,
    ContentEvent,
    DocumentEvent,
    ErrorEvent,
    MetadataEvent,
    ReasoningEvent,
    ResponseEndEvent,
    StatusEvent,
    ToolCallEvent,
    ToolReturnEvent,
)
from handlers.values import encode_value
from tests.handlers.test_values import encoded_or_error, odd_values


class AnalysisEvent(BaseEvent):
    score: float
    tags: set[str]
    source: Any = None


class Mood(StrEnum):
    GOOD = "good"


def test_content_is_encoded_without_the_common_fields() -> None:
    assert encode_event(ContentEvent(content="Hi", response_id="r", sequence=4)) == EncodedEvent(
        "content", {"content": "Hi"}, emit=True, persist=True
    )


def test_flags_are_kept() -> None:
    encoded = encode_event(ContentEvent(content="Hi", emit=False, persist=False))
    assert (encoded.emit, encoded.persist) == (False, False)


def test_a_custom_events_fields_are_encoded_by_value() -> None:
    encoded = encode_event(AnalysisEvent(score=0.9, tags={"b", "a"}, source=uuid.UUID(int=1)))
    assert encoded.type == "analysis"
    assert encoded.fields == {"score": 0.9, "tags": ["a", "b"], "source": "00000000-0000-0000-0000-000000000001"}


def test_text_is_cleaned_everywhere() -> None:
    encoded = encode_event(ToolReturnEvent(tool_name="a\0", result={"b\ud800": ["\0"]}))
    assert encoded.fields == {"tool_name": "a\ufffd", "result": {"b\ufffd": ["\ufffd"]}, "tool_id": None}


@pytest.mark.parametrize(
    ("event", "field", "reason"),
    [
        (ContentEvent(content=123), "content", "must be text, not int"),
        (ContentEvent(content=None), "content", "must be text, not NoneType"),
        (ContentEvent(content=b"raw"), "content", "must be text, not bytes"),
        (StatusEvent(message=["a"]), "message", "must be text, not list"),
        (ToolCallEvent(tool_name="t", tool_args="{}"), "tool_args", "must be an object (a dict), not str"),
        (ToolCallEvent(tool_name="t", tool_args={"a": {1j}}), "tool_args.a[0]", "complex"),
        (ToolCallEvent(tool_name="t", tool_id=None), "tool_id", "must be text"),
        (MetadataEvent(metadata=[1]), "metadata", "must be an object"),
        (DocumentEvent(document_id="d", title="t", page_count="many"), "page_count", "must be a whole number"),
        (DocumentEvent(document_id="d", title="t", page_count=True), "page_count", "must be a whole number"),
        (CitationEvent(document_id="d", text="t", page=2.5), "page", "must be a whole number"),
        (ResponseEndEvent(usage=[("a", 1)]), "usage", "must be an object"),
        (StatusEvent(emit="no"), "emit", "must be True or False"),
        (ContentEvent(content="a", persist=None), "persist", "must be True or False"),
        (AnalysisEvent(score=float("nan"), tags=set()), "score", "nan"),
    ],
)
def test_a_wrong_field_is_named(event: BaseEvent, field: str, reason: str) -> None:
    with pytest.raises(EncodingError) as caught:
        encode_event(event)
    assert caught.value.field == field
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("event", "field", "value"),
    [
        (DocumentEvent(document_id=7, title="t"), "document_id", "7"),
        (DocumentEvent(document_id=uuid.UUID(int=1), title="t"), "document_id", str(uuid.UUID(int=1))),
        (DocumentEvent(document_id="d", title="t", pointer=PurePosixPath("a/b")), "pointer", "a/b"),
        (DocumentEvent(document_id="d", title="t", page_count="12"), "page_count", 12),
        (DocumentEvent(document_id="d", title="t", page_count=3.0), "page_count", 3),
        (CitationEvent(document_id="d", text="t", citation_id=1), "citation_id", "1"),
        (StatusEvent(status=Mood.GOOD), "status", "good"),
        (StatusEvent(message=gettext_lazy("Save")), "message", "Save"),
        (ToolCallEvent(tool_name="t", tool_args=None), "tool_args", {}),
        (ReasoningEvent(text="", redacted=b"\x00"), "redacted", "AA=="),
        (ErrorEvent(error_type="x", message="m", details={1, 2}), "details", [1, 2]),
    ],
)
def test_what_obviously_means_the_declared_type_becomes_it(event: BaseEvent, field: str, value: Any) -> None:
    assert encode_event(event).fields[field] == value


def test_a_field_name_of_the_logs_own_is_refused() -> None:
    class OddEvent(BaseEvent):
        first_sequence: int = 0

    with pytest.raises(EncodingError, match=r"^first_sequence: .*rename the field"):
        encode_event(OddEvent())


def test_a_type_field_of_an_instance_is_its_wire_name() -> None:
    @dataclass
    class KindEvent(BaseEvent):
        type: str = "kind"  # type: ignore[misc]
        value: int = 0

    encoded = encode_event(KindEvent(type="special"))
    assert (encoded.type, encoded.fields) == ("special", {"value": 0})


@pytest.mark.parametrize("name", ["content", "two words", "", 7])
def test_a_type_field_that_is_no_free_wire_name_is_refused(name: Any) -> None:
    @dataclass
    class KindEvent(BaseEvent):
        type: str = "kind"  # type: ignore[misc]

    with pytest.raises(EncodingError, match=r"^type: "):
        encode_event(KindEvent(type=name))


def test_an_event_over_a_mebibyte_is_refused_by_its_largest_field() -> None:
    half = "é" * (MAX_EVENT_BYTES // 4)
    assert encode_event(ToolReturnEvent(tool_name="t", result=half)).fields["result"] == half
    with pytest.raises(EncodingError) as caught:
        encode_event(ToolReturnEvent(tool_name="small", result=[half, half]))
    assert caught.value.field == "result"


def test_content_has_no_limit_since_it_is_split_later() -> None:
    text = "x" * (MAX_EVENT_BYTES + 1)
    assert encode_event(ContentEvent(content=text)).fields["content"] == text


def test_escapes_count_towards_the_limit() -> None:
    with pytest.raises(EncodingError, match="too large"):
        encode_event(StatusEvent(message="\x01" * (MAX_EVENT_BYTES // 5)))


def test_a_field_that_was_never_set_is_named() -> None:
    with pytest.raises(EncodingError, match=r"^content: can't be read"):
        encode_event(object.__new__(ContentEvent))


def test_what_is_no_event_is_refused() -> None:
    with pytest.raises(EncodingError, match="yields events, not str"):
        encode_event("text")  # type: ignore[arg-type]


@pytest.mark.parametrize("event_class", BUILT_IN_EVENTS)
def test_every_field_of_a_built_in_event_is_encoded(event_class: type[BaseEvent]) -> None:
    own = {field.name for field in fields(event_class)} - {field.name for field in fields(BaseEvent)}
    values: dict[str, Any] = dict.fromkeys(own, "text") | {key: {} for key in own & {"tool_args", "metadata", "usage"}}
    numbers = {"page", "page_count", "word_count", "reference_number"}
    event = event_class(**values | dict.fromkeys(own & numbers, 1))
    assert set(encode_event(event).fields) == own


@given(odd_values, st.text(st.characters()), st.booleans(), st.booleans())
def test_any_event_becomes_strict_json_or_an_encoding_error(value: Any, text: str, emit: bool, persist: bool) -> None:
    events = [
        AnalysisEvent(score=value, tags=value, source=text, emit=emit, persist=persist),
        ToolReturnEvent(tool_name=text, result=value),
        ToolCallEvent(tool_name=text, tool_args=value),
        ContentEvent(content=value),
        ErrorEvent(error_type=text, message=value, details=value),
        CitationEvent(document_id=value, text=text, page=value, reference_number=value),
    ]
    for event in events:
        encoded = encoded_or_error(lambda event=event: encode_event(event))
        if isinstance(encoded, EncodingError):
            assert encoded.field
        else:
            assert json.loads(canonical_json(encoded.fields).encode()) == encoded.fields
            assert encode_value(encoded.fields) == encoded.fields
