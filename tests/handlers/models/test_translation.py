"""From a model's events to a handler's."""

from typing import Any

import pytest

from handlers.errors import ModelError
from handlers.events import BaseEvent, CitationEvent, ContentEvent, ReasoningEvent, ToolCallEvent
from handlers.models.seam import ModelEvent
from handlers.models.translation import ModelAnswer, Source, ToolCall, tool_result


def _fed(*events: ModelEvent) -> tuple[ModelAnswer, list[BaseEvent]]:
    answer = ModelAnswer()
    return answer, [yielded for event in events for yielded in answer.feed(event)]


def test_text_and_reasoning_become_events() -> None:
    _, events = _fed(
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "s"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"redactedContent": b"x"}}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "Hi"}}},
    )
    assert events == [
        ReasoningEvent(text="hm"),
        ReasoningEvent(text="", signature="s"),
        ReasoningEvent(text="", redacted=b"x"),
        ContentEvent(content="Hi"),
    ]


def test_an_empty_delta_is_no_event() -> None:
    assert _fed({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": ""}}})[1] == []


def test_stop_reason_and_usage_are_kept() -> None:
    usage = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
    answer, events = _fed({"messageStop": {"stopReason": "end_turn"}}, {"metadata": {"usage": usage}})  # type: ignore[typeddict-item]
    answer.require_end()
    assert (answer.stop_reason, answer.usage, events) == ("end_turn", usage, [])


def test_a_stream_that_only_stops_was_cut() -> None:
    answer, _ = _fed({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hal"}}})
    with pytest.raises(ModelError, match="broke off"):
        answer.require_end()


def _delta(index: int, **delta: Any) -> ModelEvent:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}  # type: ignore[typeddict-item]


def _called(index: int, name: str, *pieces: str) -> list[ModelEvent]:
    start = {"toolUse": {"toolUseId": f"call-{index}", "name": name}}
    return [
        {"contentBlockStart": {"contentBlockIndex": index, "start": start}},
        *(_delta(index, toolUse={"input": piece}) for piece in pieces),
        {"contentBlockStop": {"contentBlockIndex": index}},
    ]


def test_a_tool_call_is_an_event_when_it_is_whole() -> None:
    started, first, second, stop = _called(0, "add", '{"a"', ": 1}")
    answer, events = _fed(started, first, second)
    assert (events, answer.calls) == ([], [])
    assert answer.feed(stop) == [ToolCallEvent(tool_name="add", tool_args={"a": 1}, tool_id="call-0")]
    assert answer.calls == [ToolCall(id="call-0", name="add", arguments={"a": 1})]


def test_calls_that_come_interleaved_are_kept_apart() -> None:
    one, two = _called(0, "add", '{"a":', "1}"), _called(1, "sub", '{"b":', "2}")
    answer, _ = _fed(*[event for pair in zip(one, two, strict=True) for event in pair])
    assert [(call.name, call.arguments) for call in answer.calls] == [("add", {"a": 1}), ("sub", {"b": 2})]


@pytest.mark.parametrize(("pieces", "problem"), [(['{"a":'], "valid JSON"), (["[1]"], "JSON object")])
def test_arguments_that_cannot_be_used_say_why(pieces: list[str], problem: str) -> None:
    answer, _ = _fed(*_called(0, "add", *pieces))
    (call,) = answer.calls
    assert call.arguments == {}
    assert problem in call.problem


def test_half_a_call_is_none() -> None:
    answer, events = _fed(*_called(0, "add", '{"a": 1}')[:-1])
    assert (answer.calls, answer.content, events) == ([], [], [])


def test_the_whole_blocks_are_the_next_requests_turn() -> None:
    answer, _ = _fed(
        _delta(0, reasoningContent={"text": "I "}),
        _delta(0, reasoningContent={"text": "add."}),
        _delta(0, reasoningContent={"signature": "signed"}),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        _delta(1, reasoningContent={"redactedContent": b"sealed"}),
        {"contentBlockStop": {"contentBlockIndex": 1}},
        _delta(2, text="Wait"),
        _delta(2, text="."),
        {"contentBlockStop": {"contentBlockIndex": 2}},
        *_called(3, "add", '{"a": 1}'),
        {"messageStop": {"stopReason": "tool_use"}},
    )
    assert answer.content == [
        {"reasoningContent": {"reasoningText": {"text": "I add.", "signature": "signed"}}},
        {"reasoningContent": {"redactedContent": b"sealed"}},
        {"text": "Wait."},
        {"toolUse": {"toolUseId": "call-3", "name": "add", "input": {"a": 1}}},
    ]


def test_a_block_that_nobody_closed_is_whole_when_the_answer_is() -> None:
    answer, _ = _fed(_delta(0, text="Hi"), {"messageStop": {"stopReason": "end_turn"}})
    assert answer.content == [{"text": "Hi"}]


def test_a_citation_names_its_source() -> None:
    answer = ModelAnswer([Source(document_id="doc-1", title="Q3", pointer="s3://files/q3.pdf")])
    location = {"documentPage": {"documentIndex": 0, "start": 4, "end": 5}}
    citation = {"title": "q3", "sourceContent": [{"text": "Sales "}, {"text": "rose."}], "location": location}
    assert answer.feed(_delta(0, citation=citation)) == [
        CitationEvent(
            document_id="doc-1",
            text="Sales rose.",
            page=4,
            document_title="Q3",
            document_pointer="s3://files/q3.pdf",
        )
    ]


def test_a_citation_of_what_nobody_gave_is_named_by_itself() -> None:
    location = {"web": {"url": "https://example.org/tides", "domain": "example.org"}}
    (event,) = ModelAnswer().feed(_delta(0, citation={"title": "Tides", "location": location}))
    assert isinstance(event, CitationEvent)
    assert (event.document_id, event.document_title, event.page) == ("https://example.org/tides", "Tides", None)


def test_the_providers_cache_and_time_are_facts() -> None:
    usage = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3, "cacheReadInputTokens": 4}
    answer, _ = _fed(
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": usage, "metrics": {"latencyMs": 5}}},  # type: ignore[typeddict-item]
    )
    assert answer.facts == {"stop_reason": "end_turn", "cache_read_tokens": 4, "latency_ms": 5}


def test_a_tools_result_is_told_as_text_or_object_or_error() -> None:
    call = ToolCall(id="a", name="add", arguments={})
    assert [block["toolResult"]["content"] for block in (tool_result(call, "2"), tool_result(call, [1]))] == [
        [{"text": "2"}],
        [{"json": {"result": [1]}}],
    ]
    failed = tool_result(call, error="It broke.")["toolResult"]
    assert (failed["status"], failed["content"]) == ("error", [{"text": "It broke."}])


def test_ids_that_were_taken_or_are_missing_are_replaced_in_call_event_and_turn() -> None:
    answer = ModelAnswer(taken_ids={"x"})
    events = [
        event
        for index, given in enumerate(["x", "", "y"])
        for event in (
            *answer.feed(
                {
                    "contentBlockStart": {
                        "contentBlockIndex": index,
                        "start": {"toolUse": {"toolUseId": given, "name": "t"}},
                    }
                }
            ),
            *answer.feed({"contentBlockStop": {"contentBlockIndex": index}}),
        )
        if isinstance(event, ToolCallEvent)
    ]
    ids = ["x-2", "call", "y"]
    assert [event.tool_id for event in events] == ids
    assert [call.id for call in answer.calls] == ids
    assert [block["toolUse"]["toolUseId"] for block in answer.content] == ids
