"""What of ConverseStream's events is passed on."""

from typing import Any

from handlers.models.bedrock_events import AnswerReader


def _read(*events: Any, names: dict[str, str] | None = None) -> tuple[AnswerReader, list[Any]]:
    reader = AnswerReader(names or {})
    return reader, list(reader.feed(events))


def _delta(delta: Any) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": 0, "delta": delta}}


def test_the_start_is_held_back_until_something_follows() -> None:
    reader, events = _read({"messageStart": {"role": "assistant"}})
    assert (events, reader.begun) == ([], False)
    assert list(reader.feed([_delta({"text": "Hi"})])) == [
        {"messageStart": {"role": "assistant"}},
        _delta({"text": "Hi"}),
    ]
    assert reader.begun


def test_what_nobody_knows_is_dropped() -> None:
    _, events = _read(
        {"somethingNew": {}},
        _delta({"SDK_UNKNOWN_MEMBER": {"name": "hologram"}}),
        _delta({"reasoningContent": {"SDK_UNKNOWN_MEMBER": {"name": "mood"}}}),
        {"contentBlockStart": {"contentBlockIndex": 0, "start": {"image": {"format": "png"}}}},
    )
    assert events == []


def test_a_tool_has_its_own_name_again() -> None:
    start = {"toolUse": {"toolUseId": "a", "name": "docs_search", "type": "server_tool_use"}}
    _, events = _read(
        {"contentBlockStart": {"contentBlockIndex": 1, "start": start}}, names={"docs_search": "docs.search"}
    )
    started = {"toolUse": {"toolUseId": "a", "name": "docs.search"}}
    assert events[1] == {"contentBlockStart": {"contentBlockIndex": 1, "start": started}}


def test_it_is_whole_when_that_is_said() -> None:
    reader, _ = _read(_delta({"text": "Hi"}))
    assert not reader.whole
    list(reader.feed([{"messageStop": {"stopReason": "end_turn"}}]))
    assert reader.whole
