"""From the bytes of chat/completions to the seam's events, those of servers that are only nearly OpenAI's included."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.models import ModelEvent
from handlers.models.openai_events import AnswerReader, ErrorInStream
from handlers.models.translation import ModelAnswer
from tests.standins.behaviour import Behaviour, call
from tests.standins.openai_script import answer

BODY = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream_options": {"include_usage": True}}


def _line(chunk: Any) -> bytes:
    return b"data: " + (chunk if isinstance(chunk, bytes) else json.dumps(chunk).encode()) + b"\n\n"


def _deltas(*deltas: dict[str, Any], reason: str | None = "stop") -> bytes:
    chunks = [{"choices": [{"delta": delta}]} for delta in deltas]
    return b"".join(map(_line, [*chunks, {"choices": [{"delta": {}, "finish_reason": reason}]}, b"[DONE]"]))


def _events(*received: bytes) -> list[ModelEvent]:
    reader = AnswerReader({})
    events = [event for piece in received for event in reader.feed(piece)]
    return [*events, *reader.finish()]


def _answer(*received: bytes) -> ModelAnswer:
    whole = ModelAnswer()
    for event in _events(*received):
        whole.feed(event)
    return whole


def _tool(index: int | None, name: str | None, arguments: Any, call_id: str | None = None) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function}]}


@given(st.data())
def test_where_the_bytes_are_cut_makes_no_difference(data: st.DataObject) -> None:
    behaviour = Behaviour(say="größer 𝄞 word", reasoning="hm so", tools=(call("add", a=1), call("add", b="ü")))
    stream = b"".join(_line(chunk) for chunk in answer(BODY, behaviour, "reasoning")) + _line(b"[DONE]")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    pieces = [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert _events(*pieces) == _events(stream)


def test_blocks_are_closed_in_order_and_the_usage_is_last() -> None:
    usage = _line({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}})
    end = _deltas({"reasoning_content": "hm"}, {"content": "Yes."}).replace(b"data: [DONE]", usage + b"data: [DONE]")
    assert _events(end) == [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "Yes."}}},
        {"contentBlockStop": {"contentBlockIndex": 1}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 9, "outputTokens": 2, "totalTokens": 11}}},
    ]


def test_what_came_from_the_servers_cache_is_counted_apart() -> None:
    told = {"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 8}}
    usage = _answer(_line({"choices": [], "usage": told}), _deltas({"content": "a"})).usage
    assert usage == {"inputTokens": 2, "outputTokens": 1, "totalTokens": 11, "cacheReadInputTokens": 8}


@pytest.mark.parametrize(
    "deltas",
    [
        [_tool(0, "add", '{"a', "x"), _tool(1, "sub", "{}", "y"), _tool(0, None, '": 1}')],
        [_tool(None, "add", '{"a": 1}', "x"), _tool(None, "sub", "{}", "y")],
        [_tool(0, "add", '{"a": 1}', "x"), _tool(0, "sub", "{}", "y")],
        [_tool(0, "add", {"a": 1}, "x"), _tool(1, "sub", None, "y")],
        [_tool(0, None, None, "x"), _tool(0, "add", '{"a": 1}', "x"), _tool(1, "sub", "", "y")],
    ],
    ids=["pieces that mix", "no index", "one index for all", "an object", "the name later"],
)
def test_calls_are_put_together_however_their_pieces_come(deltas: list[dict[str, Any]]) -> None:
    calls = _answer(_deltas(*deltas)).calls
    assert [(made.id, made.name, made.arguments, made.problem) for made in calls] == [
        ("x", "add", {"a": 1}, ""),
        ("y", "sub", {}, ""),
    ]


def test_a_call_without_an_id_gets_one_and_ends_in_tool_use_whatever_the_server_says() -> None:
    whole = _answer(_deltas(_tool(0, "add", "{}"), reason="stop"))
    assert (whole.calls[0].id, whole.stop_reason) == ("call_0", "tool_use")


def test_an_answer_in_one_piece_is_read_too() -> None:
    message = {"role": "assistant", "content": "Yes."}
    assert _answer(_line({"choices": [{"message": message, "finish_reason": "stop"}]})).content == [{"text": "Yes."}]


@pytest.mark.parametrize("text", [{"refusal": "No."}, {"content": [{"type": "text", "text": "No."}]}])
def test_text_under_other_shapes_is_text(text: dict[str, Any]) -> None:
    assert _answer(_deltas(text)).content == [{"text": "No."}]


def test_an_empty_answer_is_whole() -> None:
    assert _events(_deltas()) == [{"messageStart": {"role": "assistant"}}, {"messageStop": {"stopReason": "end_turn"}}]


def test_the_last_line_needs_no_end() -> None:
    assert _answer(_deltas({"content": "Yes."}).removesuffix(b"\n\ndata: [DONE]\n\n")).stop_reason == "end_turn"


@pytest.mark.parametrize("received", [_deltas({"content": "Yes"}, reason=None), b"", _line(b"[DONE]")])
def test_an_answer_without_a_reason_for_its_end_is_not_whole(received: bytes) -> None:
    reader = AnswerReader({})
    events = [*reader.feed(received), *reader.finish()]
    assert not reader.whole
    assert not any("messageStop" in event for event in events)


def test_comments_are_no_answer() -> None:
    reader = AnswerReader({})
    assert list(reader.feed(b": still here\n\nevent: ping\n\n")) == []
    assert (reader.heard, reader.begun) == (0, False)


@pytest.mark.parametrize(
    ("payload", "code", "words"),
    [
        ({"error": {"message": "Busy.", "type": "server_error", "code": None}}, "server_error", "Busy."),
        ({"error": {"message": "Busy.", "code": 503}}, "503", "Busy."),
        ({"error": "Busy."}, "error", "Busy."),
        ({"object": "error", "message": "Busy.", "code": 500}, "500", "Busy."),
        (b"{not json", "garbled", "not json"),
        ([1], "garbled", "not a chunk"),
        ({"choices": [{"delta": {}, "finish_reason": "error"}]}, "error", "reason"),
    ],
)
def test_an_error_in_the_stream_is_told_after_what_came_before(payload: Any, code: str, words: str) -> None:
    reader = AnswerReader({})
    stream = reader.feed(_line({"choices": [{"delta": {"content": "So"}}]}) + _line(payload))
    assert [next(iter(next(stream))) for _ in range(2)] == ["messageStart", "contentBlockDelta"]
    with pytest.raises(ErrorInStream) as caught:
        next(stream)
    assert caught.value.code == code
    assert words in caught.value.words


def test_thoughts_within_the_text_become_reasoning() -> None:
    events = _events(_deltas({"content": "<thi"}, {"content": "nk>They ask.</th"}, {"content": "ink>\n\nYes."}))
    answer = ModelAnswer()
    for event in events:
        answer.feed(event)
    assert answer.content == [{"reasoningContent": {"reasoningText": {"text": "They ask."}}}, {"text": "Yes."}]


def test_what_only_looks_like_a_thought_is_said_before_a_tool_is_called() -> None:
    call = {"index": 0, "id": "a", "function": {"name": "add", "arguments": "{}"}}
    answer = ModelAnswer()
    for event in _events(_deltas({"content": "<th"}, {"tool_calls": [call]}, reason="tool_calls")):
        answer.feed(event)
    assert answer.content[0] == {"text": "<th"}
    assert [each.name for each in answer.calls] == ["add"]
