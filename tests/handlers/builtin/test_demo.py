"""The demo: each keyword shows what its name says, and any other text the list."""

from typing import Any

import pytest

from handlers.builtin.demo import DemoHandler
from handlers.builtin.demo.handler import help_text
from handlers.builtin.demo.scenes import SCENES
from handlers.encoding import encode_event
from handlers.events import BaseEvent
from handlers.testing import collect, text_of


async def _play(text: str, **values: Any) -> list[BaseEvent]:
    return await collect(DemoHandler(DemoHandler.Config(pace=0)), text, **values)


def _types(events: list[BaseEvent]) -> list[str]:
    return [event.type for event in events]


def test_the_keywords_are_the_documented_ones() -> None:
    assert list(SCENES) == [
        "text",
        "streaming",
        "tool",
        "document",
        "citation",
        "reasoning",
        "metadata",
        "status",
        "error",
        "slow",
        "custom",
        "complex",
    ]


@pytest.mark.parametrize("text", ["", "what is this?", "texts", "42"])
async def test_any_other_text_gets_a_help_that_names_the_keywords(text: str) -> None:
    said = text_of(await _play(text))
    assert said == help_text()
    assert all(f"- `{word}`: " in said for word in SCENES)


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("text", {"content"}),
        ("TEXT please", {"content"}),
        ("Tool: count this", {"tool_call", "tool_return", "content"}),
        ("document", {"document", "content"}),
        ("citation", {"document", "citation", "content"}),
        ("reasoning", {"reasoning", "content"}),
        ("metadata", {"metadata", "content"}),
        ("status", {"status", "content"}),
        ("error", {"content", "error"}),
        ("slow 1", {"content"}),
        ("slow\n1", {"content"}),
        ("custom", {"progress_report", "content"}),
    ],
)
async def test_a_keyword_shows_its_kind_of_event(text: str, types: set[str]) -> None:
    assert set(_types(await _play(text))) == types


async def test_complex_shows_every_kind_and_ends_with_usage() -> None:
    events = await _play("complex")
    kinds = {"status", "reasoning", "tool_call", "tool_return", "document", "content", "citation", "metadata"}
    assert set(_types(events)) == kinds | {"progress_report", "response_end"}
    words = len(text_of(events).split())
    assert encode_event(events[-1]).fields["usage"] == {"input_tokens": 1, "output_tokens": words}
    assert "[1]" in text_of(events)
    assert "[2]" in text_of(events)


async def test_a_tool_really_counts() -> None:
    events = await _play("tool one two three")
    call, returned = (encode_event(event).fields for event in events[:2])
    assert (call["tool_args"], returned["result"]) == ({"text": "one two three"}, {"words": 3})
    assert call["tool_id"] == returned["tool_id"]


async def test_streaming_is_many_small_pieces() -> None:
    events = await _play("streaming")
    assert len(events) > 30
    assert "stored before you see it" in text_of(events)


async def test_status_steps_are_not_kept() -> None:
    assert [event.persist for event in await _play("status") if event.type == "status"] == [False] * 3


async def test_an_error_ends_the_answer_and_a_recovery_goes_on() -> None:
    assert _types(await _play("error")) == ["content", "error"]
    assert _types(await _play("error recover")) == ["content", "error", "content"]


async def test_an_error_may_be_raised() -> None:
    with pytest.raises(RuntimeError):
        await _play("error raise")


@pytest.mark.parametrize("words", ["forever", "-1", "0", "1e9", "nan", "inf"])
async def test_slow_says_what_it_takes(words: str) -> None:
    assert text_of(await _play(f"slow {words}")).startswith("Write a number of seconds")


async def test_slow_takes_four_steps_a_second() -> None:
    assert len(await _play("slow 2")) == 2 * 4 + 2
    assert len(await _play("slow")) == 30 * 4 + 2


@pytest.mark.parametrize("word", [word for word in SCENES if word not in {"tool", "complex"}])
async def test_the_same_words_give_the_same_events(word: str) -> None:
    assert await _play(word) == await _play(word)
