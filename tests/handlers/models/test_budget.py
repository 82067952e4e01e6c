"""How much of a chat fits, and where it is cut."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.messages import FilePart, ImagePart, Message, MessagePart, ReasoningPart, ToolCallPart, ToolReturnPart
from handlers.models import ModelDescription
from handlers.models.budget import (
    IMAGE_TOKENS,
    Cut,
    cut_history,
    message_tokens,
    room_for_history,
    text_tokens,
    told_limit,
    turn_tokens,
)
from handlers.testing import conversation

MODEL = ModelDescription(id="m", label="M", provider="p", accepts=["text", "image", "document"])


def size(message: Message) -> int:
    return message_tokens(message, MODEL)


BLIND = ModelDescription(id="m", label="M", provider="p")


# --- the estimate


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("word", 2),
        ("The tide follows the moon by fifty minutes.", 13),
        ("潮汐随着月亮", 6),
        ("a b c d e f g h", 8),
    ],
)
def test_tokens_of_a_text(text: str, tokens: int) -> None:
    assert text_tokens(text) == tokens


@given(st.text(), st.text())
def test_an_estimate_is_never_less_than_the_words_and_grows_with_the_text(first: str, second: str) -> None:
    assert text_tokens(first) >= len(first.split())
    assert text_tokens(first + second) >= text_tokens(first)


def _response(*parts: MessagePart, model_id: str = "m") -> Message:
    return Message(kind="response", parts=list(parts), model_id=model_id)


@pytest.mark.parametrize(
    ("part", "counts"),
    [
        (ImagePart(mime_type="image/png"), IMAGE_TOKENS),
        (FilePart(mime_type="image/png", size=10), IMAGE_TOKENS),
        (FilePart(mime_type="text/plain", size=35_000), 10_000),
        (FilePart(mime_type="application/pdf", size=1_000_000), 50_000),
        (ToolReturnPart(result={"text": "x" * 350}), 100),
        (ToolCallPart(tool_args={"text": "x" * 350}), 100),
        (ReasoningPart(content="x" * 350, signature="s"), 100),
    ],
    ids=lambda value: type(value).__name__,
)
def test_parts_weigh_about_what_they_cost(part: MessagePart, counts: int) -> None:
    assert counts <= message_tokens(_response(part), MODEL) <= counts + 50


@pytest.mark.parametrize(
    ("part", "values"),
    [
        (MessagePart(content="x" * 350, hidden=True), {}),
        (ReasoningPart(content="x" * 350), {}),
        (ToolReturnPart(result="x" * 350), {"tools": False}),
        (ImagePart(mime_type="image/png"), {"model": BLIND}),
        (FilePart(mime_type="application/pdf", size=1_000_000), {"model": BLIND}),
    ],
    ids=["hidden", "unsigned reasoning", "without tools", "an image unseen", "a document unread"],
)
def test_what_is_not_told_weighs_next_to_nothing(part: MessagePart, values: Any) -> None:
    assert message_tokens(_response(part), **{"model": MODEL, **values}) < 40


def test_another_models_reasoning_is_not_counted() -> None:
    thought = ReasoningPart(content="x" * 350, signature="s")
    assert message_tokens(_response(thought, model_id="other"), MODEL) < 10


def test_turns_of_an_answer_are_counted_with_calls_and_results() -> None:
    result = {"toolResult": {"toolUseId": "1", "content": [{"text": "x" * 3500}]}}
    assert turn_tokens([{"role": "user", "content": [result, {"text": "x" * 350}]}]) > 1100


# --- the cut


def _chat(pairs: int, length: int = 350) -> list[Message]:
    return conversation(*["x" * length for _ in range(2 * pairs)])


def test_what_fits_is_told_whole() -> None:
    history = _chat(5)
    cut = cut_history(history, 10_000, size)
    assert (cut.kept, cut.left_out) == (history, [])


def test_the_oldest_exchanges_are_left_out() -> None:
    history = _chat(10)
    cut = cut_history(history, 1000, size)
    assert [*cut.left_out, *cut.kept] == history
    assert cut.kept[0].kind == "request"
    assert 500 < cut.tokens <= 1000


def test_a_call_is_never_told_without_its_return() -> None:
    def answer() -> Message:
        parts = [
            ToolCallPart(tool_id="1"),
            ToolReturnPart(tool_id="1", result="x" * 700),
            MessagePart(content="x" * 700),
        ]
        return Message(kind="response", parts=parts)

    history = [message for _ in range(6) for message in (*conversation("x" * 100), answer())]
    cut = cut_history(history, 1000, size)
    assert [message.kind for message in cut.kept] == ["request", "response"] * (len(cut.kept) // 2)
    assert 0 < len(cut.kept) < 12


def test_an_exchange_larger_than_the_room_leaves_nothing() -> None:
    assert cut_history(_chat(2, 100_000), 1000, size) == Cut(kept=[], left_out=_chat(2, 100_000), tokens=0)


def test_the_last_cut_holds_as_long_as_it_fits() -> None:
    history = _chat(20)
    for number, message in enumerate(history):
        message.id = f"m{number}"
    first = cut_history(history[:-4], 2000, size).kept[0].id
    again = cut_history(history, 2000, size, last_cut=first)
    assert again.kept[0].id == first
    assert cut_history(history, 1000, size, last_cut=first).kept[0].id != first
    assert cut_history(history, 2000, size, last_cut="gone").kept


_histories = st.lists(st.tuples(st.booleans(), st.integers(0, 2000)), max_size=30).map(
    lambda told: [
        Message(id=str(n), kind="request" if asks else "response", parts=[MessagePart(content="x" * length)])
        for n, (asks, length) in enumerate(told)
    ]
)


@given(_histories, st.integers(0, 5000), st.integers(0, 30).map(str))
def test_a_cut_is_the_end_of_the_history_and_fits(history: list[Message], room: int, last_cut: str) -> None:
    cut = cut_history(history, room, size, last_cut=last_cut)
    assert cut.left_out + cut.kept == history
    assert cut.tokens <= room
    assert not cut.left_out or not cut.kept or cut.kept[0].kind == "request"


class Untold(list[MessagePart]):
    """Parts that nobody may look at."""

    def __iter__(self) -> Iterator[MessagePart]:
        raise AssertionError("looked at")


def test_a_very_long_chat_is_not_read_to_its_beginning() -> None:
    history = [*_chat(50), *_chat(10)]
    for message in history[:100]:
        message.parts = Untold(message.parts)
    assert cut_history(history, 1000, size).kept


@pytest.mark.parametrize(
    ("limit", "fixed", "max_tokens", "room"),
    [
        (8000, 0, None, 6000),
        (8000, 1000, 500, 6500),
        (8000, 0, 7000, 4000),
        (8000, 9000, None, 0),
        (200_000, 0, None, 195_904),
    ],
)
def test_room_is_kept_for_the_answer(limit: int, fixed: int, max_tokens: int | None, room: int) -> None:
    assert room_for_history(limit, fixed=fixed, max_tokens=max_tokens) == room


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        ("This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.", 8192),
        ("prompt is too long: 210,000 tokens > 200,000 maximum", 200_000),
        ("the request exceeds the available context size (4096 tokens), try increasing it", 4096),
        ("Input is too long for requested model.", None),
    ],
)
def test_a_refusal_may_say_how_much_can_be_read(words: str, limit: int | None) -> None:
    assert told_limit(words) == limit
