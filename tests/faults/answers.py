"""What one client holds of one response, kept as the bytes that came, and held against the log.

Owns the client's rules (protocol §4 and §5: cursor, reset, ids) and where the server broke its side of them. Knows
no sockets: people.py and listeners.py bring the frames and blocks.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from tests.faults.log import StoredEvent, StoredResponse
from tests.faults.recital import Order

__all__ = ["Answer", "Breach", "HeardAnswer"]


@dataclass(frozen=True)
class Breach:
    """A broken promise; `kind` is what became of the events: lost, doubled, reordered, altered, stuck, ended."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


class Answer:
    """What one websocket client holds of one response, and `breaches`: where the server broke the rule."""

    def __init__(self, response_id: str, order: Order | None = None) -> None:
        self.response_id = response_id
        self.chat_id = ""  # known to who asked
        self.order = order
        self.cursor = -1
        self.held: dict[int, str] = {}
        self.spans: dict[int, int] = {}  # of the events that stand for several: last sequence → first
        self.unstored = 0
        self.breaches: list[Breach] = []
        self.ended = asyncio.Event()

    def take(self, frame: dict[str, Any], text: str) -> None:
        """A frame of this response, `text` as it came."""
        if frame.get("reset"):
            self.held, self.spans, self.cursor = {}, {}, -1
        if frame["after"] != self.cursor:
            kind = "lost" if frame["after"] > self.cursor else "doubled"
            self.breaches.append(Breach(kind, f"a frame after {frame['after']} came at cursor {self.cursor}"))
        for event, raw in zip(frame["events"], raw_events(text), strict=True):
            self.take_event(event, raw)
            if event["sequence"] is not None and event["sequence"] > frame["through"]:
                self.breaches.append(Breach("altered", f"event {event['sequence']} in a frame to {frame['through']}"))
        self.cursor = frame["through"]

    def take_event(self, event: dict[str, Any], raw: str) -> None:
        """An event, `raw` as it came."""
        sequence = event["sequence"]
        if sequence is None:
            self.unstored += 1
            return
        first = event.get("first_sequence", sequence)
        if first <= self.cursor:
            kind = "doubled" if first in self.held else "reordered"
            self.breaches.append(Breach(kind, f"event {first} came at cursor {self.cursor}"))
        if first != sequence:
            self.spans[sequence] = first
        self.held[sequence] = raw
        self.cursor = sequence
        if event["type"] == "response_end":
            self.ended.set()

    def as_sent(self, event: StoredEvent) -> str:
        """How a stored event must have come, to the byte."""
        return event.on_the_wire

    def faults(self, stored: StoredResponse, *, whole: bool = True) -> list[Breach]:
        """What was broken: this client must hold the log, byte for byte, up to its cursor (`whole`: to its end); of
        what came merged, the sum."""
        found = list(self.breaches)
        log = {event.sequence: self.as_sent(event) for event in stored.events if event.emit}
        for last, first in self.spans.items():
            members = {number: log.pop(number) for number in sorted(log) if first <= number <= last}
            log[last] = merged(members) if members else ""
        due = {number for number in log if number <= self.cursor}
        last = stored.events[-1].sequence
        if missing := due - self.held.keys():
            found.append(Breach("lost", f"the client doesn't hold {sorted(missing)[:5]}"))
        if unknown := self.held.keys() - log.keys():
            found.append(Breach("altered", f"the log doesn't hold {sorted(unknown)[:5]}"))
        if unlike := [number for number in sorted(due & self.held.keys()) if self.held[number] != log[number]]:
            example = f"{self.held[unlike[0]][:300]} is {log[unlike[0]][:300]} in the log"
            found.append(Breach("altered", f"the client's bytes aren't the log's at {unlike[:5]}: {example}"))
        if self.cursor > last or (whole and self.cursor != last):
            found.append(Breach("lost", f"the client is at {self.cursor}, the log at {last}"))
        return found

    def check(self, stored: StoredResponse, *, whole: bool = True) -> None:
        """Fails unless this client holds the log, and if `whole` all of it, and the log is sound."""
        assert self.faults(stored, whole=whole) == []
        if whole:
            stored.check(self.order)


class HeardAnswer(Answer):
    """The same of a client that reads server-sent events."""

    def take_block(self, number: str, data: str) -> None:
        """A block: its id and its data, each "" where it has none."""
        if data:
            event = json.loads(data)
            if str(event["sequence"]) != (number or "None"):
                self.breaches.append(Breach("altered", f"event {event['sequence']} came under the id {number!r}"))
            self.take_event(event, data)
        elif number:
            self.cursor = int(number)

    def as_sent(self, event: StoredEvent) -> str:
        return f'{{"response_id":"{self.response_id}",{event.on_the_wire[1:]}'


def raw_events(text: str) -> list[str]:
    """The events of a frame as they came, to the byte."""
    decoder = json.JSONDecoder()
    at = text.index('"events":[') + len('"events":[')
    found = []
    while text[at] != "]":
        at += text[at] == ","
        _, end = decoder.raw_decode(text, at)
        found.append(text[at:end])
        at = end
    return found


def merged(events: dict[int, str]) -> str:
    """How adjacent deltas must come as one event, to the byte."""
    fields = [json.loads(event) for event in events.values()]
    text = {"content": "content", "reasoning": "text"}[fields[0]["type"]]
    if len({each["type"] for each in fields}) > 1:
        return "of several types"
    own = {name: value for name, value in fields[0].items() if name not in ("type", "sequence")}
    own[text] = "".join(each[text] for each in fields)
    envelope = {"type": fields[0]["type"], "sequence": max(events), "first_sequence": min(events)}
    return _json(envelope)[:-1] + "," + _json(own)[1:]


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
