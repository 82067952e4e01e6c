"""The rules between a handler's events and its response's log, without a loop or a database."""

import json

import pytest

from chats.models import Run
from chats.recorder import EMPTY_ANSWER, normalise_usage
from chats.runlog import MAX_TEXT_BYTES, byte_length
from handlers.events import (
    BaseEvent,
    CitationEvent,
    ContentEvent,
    DocumentEvent,
    ErrorEvent,
    ImageEvent,
    MetadataEvent,
    ReasoningEvent,
    ResponseEndEvent,
    ResponseStartEvent,
    StatusEvent,
    ToolCallEvent,
    ToolReturnEvent,
)
from tests.chats.recording import FAILED, HELLO, Reading, Record

# Text


def test_adjacent_deltas_of_a_class_become_one():
    record = Record(HELLO, ContentEvent(content=" world"), StatusEvent(), HELLO)
    assert [fields["content"] for fields in record.fields("content")] == ["hello world", "hello"]


@pytest.mark.parametrize("flags", [{"emit": False}, {"persist": False}])
def test_deltas_of_another_class_stay_apart(flags):
    record = Record(HELLO, ContentEvent(content="x", **flags), HELLO)
    assert len(record.fields("content")) == 3


@pytest.mark.parametrize("text", ["x" * 200_000, "é" * 100_000, "😀" * 70_000, "x" * 65_537 + "é"])
def test_long_content_is_split_and_nothing_is_lost(text):
    pieces = [fields["content"] for fields in Record(ContentEvent(content=text)).fields("content")]
    assert "".join(pieces) == text
    assert max(map(byte_length, pieces)) <= MAX_TEXT_BYTES


def test_a_signature_closes_its_block_of_reasoning():
    thoughts = (ReasoningEvent(text="a"), ReasoningEvent(text="b", signature="s"), ReasoningEvent(text="c"))
    assert [fields["text"] for fields in Record(*thoughts, HELLO).fields("reasoning")] == ["a", "b", "c"]


def test_empty_deltas_leave_no_trace():
    assert [kind for kind, _, _ in Record(ContentEvent(content=""), HELLO, ReasoningEvent(text="")).log] == [
        "content",
        "response_end",
    ]


# Ids


def test_a_tools_return_is_bound_to_its_last_open_call():
    first, second = ToolCallEvent(tool_name="add"), ToolCallEvent(tool_name="add")
    returns = ToolReturnEvent(tool_name="add", result=1), ToolReturnEvent(tool_name="add", result=2)
    record = Record(first, second, *returns)
    assert [fields["tool_id"] for fields in record.fields("tool_return")] == [second.tool_id, first.tool_id]


def test_a_return_of_a_tool_that_nobody_called_gets_an_id_of_its_own():
    record = Record(ToolCallEvent(tool_name="add"), ToolReturnEvent(tool_name="search", result=[]))
    assert record.fields("tool_return")[0]["tool_id"] not in {"", record.fields("tool_call")[0]["tool_id"]}


def test_citation_ids_are_unique_and_made_where_none_is_given():
    cited = [CitationEvent(document_id="d", text="t", citation_id=name) for name in ("a", "a", None, "a")]
    ids = [fields["citation_id"] for fields in Record(*cited).fields("citation")]
    assert ids == ["a", "a-2", "3", "a-3"]


def test_a_response_id_and_sequence_of_a_handlers_own_are_passed_over():
    record = Record(ContentEvent(content="a", response_id="mine", sequence=998), StatusEvent(sequence=999))
    assert record.fields("content") == [{"content": "a"}]
    assert record.fields("status") == [{"status": "processing", "message": ""}]


# The end


def test_a_handler_that_says_something_and_returns_has_completed():
    record = Record(HELLO)
    assert record.outcome == ("completed", None)
    assert record.log[-1][1] == {"status": "completed", "usage": {}, "error_type": None}


def test_a_handler_that_yields_nothing_gave_an_empty_response():
    record = Record()
    assert record.outcome == ("error", "empty_response")
    assert record.fields("error")[0]["message"] == EMPTY_ANSWER


@pytest.mark.parametrize(
    "event",
    [
        ContentEvent(content="secret", emit=False),
        ContentEvent(content=" \n"),
        StatusEvent(message="Working…"),
        MetadataEvent(metadata={"a": 1}),
        ImageEvent(file_id="f", mime_type="image/png", emit=False),
        Reading(value=1, emit=False),
        ResponseEndEvent(),
    ],
)
def test_an_answer_in_which_nothing_can_be_seen_is_empty(event):
    assert Record(event).outcome == ("error", "empty_response")


@pytest.mark.parametrize(
    "event",
    [
        ContentEvent(content="seen", persist=False),
        ReasoningEvent(text="hm"),
        ReasoningEvent(text="", redacted="opaque"),
        ImageEvent(file_id="f", mime_type="image/png"),
        ToolCallEvent(tool_name="add"),
        DocumentEvent(document_id="d", title="t"),
        Reading(value=1),
    ],
)
def test_an_answer_in_which_something_was_seen_isnt_empty(event):
    assert Record(event).outcome == ("completed", None)


def test_the_end_is_honoured_once_and_what_comes_after_it_is_dropped_and_noted():
    record = Record(HELLO, ResponseEndEvent(usage={"input_tokens": 1}), HELLO, ResponseEndEvent(status="error"), FAILED)
    assert [kind for kind, _, _ in record.log] == ["content", "response_end"]
    assert record.outcome == ("completed", None)
    assert [(note["note"], note["count"]) for note in record.end.notes] == [("events_after_end_dropped", 3)]


def test_a_start_of_the_handlers_own_is_dropped_and_noted():
    start = ResponseStartEvent(request_id="r", chat_id="c", message_id="m", task="t", model_id="x", parent_id=None)
    record = Record(start, HELLO)
    assert [kind for kind, _, _ in record.log] == ["content", "response_end"]
    assert record.notes == ["response_start_dropped"]


def test_an_unknown_status_is_a_completion_with_a_note():
    record = Record(HELLO, ResponseEndEvent(status="finished"))
    assert record.outcome == ("completed", None)
    assert record.notes == ["unknown_status"]


@pytest.mark.parametrize("status", [None, 5, {}])
def test_an_end_that_cant_be_read_is_an_error_of_its_own(status):
    assert Record(HELLO, ResponseEndEvent(status=status)).outcome == ("error", "invalid_event")


def test_an_error_as_last_word_is_how_it_ended():
    assert Record(HELLO, FAILED).outcome == ("error", "lost")


def test_an_end_that_says_completed_after_an_error_doesnt_undo_it():
    assert Record(HELLO, FAILED, ResponseEndEvent()).outcome == ("error", "lost")


@pytest.mark.parametrize(
    "event", [HELLO, ToolCallEvent(tool_name="add"), DocumentEvent(document_id="d", title="t"), Reading(value=1)]
)
def test_an_error_that_something_follows_was_recovered_from(event):
    record = Record(FAILED, event)
    assert record.outcome == ("completed", None)
    assert record.fields("error") == [{"error_type": "lost", "message": "It got lost."}]


@pytest.mark.parametrize("event", [StatusEvent(), MetadataEvent(metadata={}), ContentEvent(content="")])
def test_an_error_that_nothing_of_weight_follows_stands(event):
    assert Record(HELLO, FAILED, event).outcome == ("error", "lost")


def test_an_error_end_of_the_handlers_own_stands():
    assert Record(HELLO, ResponseEndEvent(status="error", error_type="quota")).outcome == ("error", "quota")


def test_an_error_end_without_a_type_takes_that_of_the_last_error():
    assert Record(FAILED, ResponseEndEvent(status="error")).outcome == ("error", "lost")
    assert Record(HELLO, ResponseEndEvent(status="error")).outcome == ("error", "handler_error")


def test_an_errors_details_are_for_the_audit_alone():
    _, fields, event = Record(ErrorEvent(error_type="lost", message="It got lost.", details={"key": b"k"})).log[0]
    assert fields == {"error_type": "lost", "message": "It got lost."}
    assert json.loads(event.details) == {"key": "aw=="}


def test_the_details_of_an_authors_own_kind_of_error_are_for_the_audit_too():
    class QuotaError(ErrorEvent):
        left: int = 0

    record = Record(QuotaError(error_type="quota", message="Used up.", details="key sk-1", left=3))
    kind, fields, event = record.log[0]
    assert (kind, fields) == ("quota_error", {"error_type": "quota", "message": "Used up.", "left": 3})
    assert event.details == "key sk-1"
    assert "sk-1" not in event.payload


def test_the_end_doesnt_name_an_error_that_was_hidden():
    assert Record(HELLO, ErrorEvent(error_type="fraud", message="m", emit=False)).outcome == ("error", "handler_error")


@pytest.mark.parametrize("hidden", [False, "no", None, 0])
def test_what_is_refused_of_a_hidden_event_is_hidden_too(hidden):
    record = Record(MetadataEvent(metadata={"salary": float("nan")}, emit=hidden), HELLO)
    assert [(kind, event.emit) for kind, _, event in record.log[:1]] == [("error", False)]


def test_an_events_flag_that_raises_is_refused_and_the_run_goes_on():
    class Unreadable(BaseEvent):
        @property
        def emit(self):
            raise RuntimeError

        @emit.setter
        def emit(self, value):
            pass

    assert Record(Unreadable(), HELLO).outcome == ("completed", None)


def test_the_end_of_an_error_with_a_long_type_fits_its_column():
    width = Run._meta.get_field("error_type").max_length
    assert Record(ErrorEvent(error_type="x" * 150, message="m")).outcome == ("error", "x" * width)


# Usage


@pytest.mark.parametrize(
    ("usage", "normal"),
    [
        ({"inputTokens": 1, "outputTokens": 2, "totalTokens": 4}, (1, 2, 4)),
        ({"prompt_tokens": 1, "completion_tokens": 2}, (1, 2, 3)),
        ({"promptTokens": 1, "completionTokens": 2, "total_tokens": 3}, (1, 2, 3)),
        ({"input_tokens": 1, "output_tokens": 2.0}, (1, 2.0, 3.0)),
    ],
)
def test_usage_is_read_in_every_common_spelling(usage, normal):
    assert tuple(normalise_usage(usage).values()) == normal


@pytest.mark.parametrize("count", ["12", None, True, -1, [1], {"n": 1}, 10**400, 1e300])
def test_usage_is_numbers_only(count):
    assert normalise_usage({"input_tokens": count}) == {}


def test_what_the_end_says_of_usage_is_kept():
    assert Record(HELLO, ResponseEndEvent(usage={"inputTokens": 3, "latency": "2 s"})).log[-1][1]["usage"] == {
        "input_tokens": 3,
        "total_tokens": 3,
    }
