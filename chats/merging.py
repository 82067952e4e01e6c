"""Adjacent deltas of a stored text as one event, for who reads a log after the fact. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable

from chats.protocol import WireEvent
from handlers.encoding import canonical_json

__all__ = ["merge_events"]


def merge_events(events: Iterable[WireEvent], limit: int = 65536) -> list[WireEvent]:
    """Adjacent stored content (or reasoning) deltas as one event each, up to `limit` characters."""
    merged: list[WireEvent] = []
    block: list[WireEvent] = []
    size = 0
    for event in events:
        if block and (size + len(event.payload) > limit or not _merges(block[-1], event)):
            merged.append(_merge_block(block))
            block, size = [], 0
        block.append(event)
        size += len(event.payload)
    if block:
        merged.append(_merge_block(block))
    return merged


_TEXT_FIELD = {"content": "content", "reasoning": "text"}


def _merges(last: WireEvent, event: WireEvent) -> bool:
    if event.type not in _TEXT_FIELD or event.type != last.type or None in (event.sequence, last.sequence):
        return False
    # A signature closes its block of reasoning, and a redacted block stands alone.
    return event.type == "content" or not (_closes_block(last) or _closes_block(event))


def _closes_block(event: WireEvent) -> bool:
    fields = json.loads(event.payload)
    return fields.get("signature") is not None or fields.get("redacted") is not None


def _merge_block(block: list[WireEvent]) -> WireEvent:
    first, last = block[0], block[-1]
    if first is last:
        return first
    fields = [json.loads(event.payload) for event in block]
    name = _TEXT_FIELD[first.type]
    payload = canonical_json({**fields[0], name: "".join([each[name] for each in fields])})
    start = first.sequence if first.first_sequence is None else first.first_sequence
    return WireEvent(first.type, last.sequence, payload, start)
