"""The law: what a person saw live, sees on reload, reads by REST and what is stored are the same.

`check(witness)` raises LawBroken, naming the clause; it compares what was gathered and asks nobody. How a
Witness is gathered is stage.py's, what must come out is model.py's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chats.models import Event, Message, Run
from chats.transcript import Fold, Transcript
from tests.properties.model import Said, Story, coalesce, story_of
from tests.properties.scripts import SECRET, UNSPEAKABLE

__all__ = ["LawBroken", "Resumed", "Sight", "Witness", "check"]

Wire = dict[str, Any]
UNFINISHED = ("queued", "running")
ENVELOPE = ("type", "sequence", "first_sequence", "response_id")
MAX_TEXT_BYTES = 64 * 1024
PART_KINDS = {"image": "image", "tool_call": "tool-call", "tool_return": "tool-return", "citation": "citation"}
# Adjacent texts share a part, and a citation may make a document.
NO_PART = frozenset(
    {"response_start", "response_end", "status", "metadata", "error", "content", "reasoning", "document"}
)


class LawBroken(AssertionError):
    """A clause doesn't hold."""


def require(holds: bool, clause: str, *facts: Any) -> None:
    if not holds:
        raise LawBroken("\n  ".join([clause, *map(repr, facts)]))


@dataclass
class Sight:
    """What one reader holds, by the client's rule. `steady`: it watched from first to last without a break."""

    events: list[Wire] = field(default_factory=list)
    cursor: int = -1
    steady: bool = False
    name: str = ""

    @property
    def stored(self) -> list[Wire]:
        return [event for event in self.events if event["sequence"] is not None]


@dataclass
class Resumed:
    """What came to a reader who had the log up to `after` already."""

    after: int
    merge: bool
    sight: Sight


@dataclass
class Witness:
    """All that was seen of one run."""

    yielded: list[Any]
    escaped: BaseException | None
    cancel_reply: str | None  # the status that the cancel was answered with, if there was one
    sights: list[Sight]
    resumed: list[Resumed]
    rows: list[Event]
    message: Message
    run: Run
    rest_message: Wire
    rest_events: list[Wire]
    shown: str  # everything that its owner got, as text

    @property
    def replay(self) -> list[Wire]:
        """The emitted rows as the wire should have them."""
        return [_wire(row) for row in self.rows if row.emit]


def check(witness: Witness) -> None:
    """Raises LawBroken."""
    check_numbers(witness)
    check_one_end(witness)
    check_story(witness)
    check_sights(witness)
    check_rest(witness)
    check_folds(witness)
    check_parts(witness)
    check_resumed(witness)
    check_hidden(witness)


def check_numbers(witness: Witness) -> None:
    numbers = [row.sequence for row in witness.rows]
    require(numbers == list(range(len(numbers))), "numbers are contiguous from 0", numbers)
    require(witness.message.sequence == numbers[-1], "the message knows its last number", witness.message.sequence)
    for row in witness.rows:
        text = json.loads(row.payload).get("content") if row.type == "content" else ""
        require(len((text or "").encode()) <= MAX_TEXT_BYTES, "content has 64 KiB at most", row.sequence)


def check_one_end(witness: Witness) -> None:
    kinds = [row.type for row in witness.rows]
    require(kinds[0] == "response_start" and kinds.count("response_start") == 1, "one start, first", kinds)
    require(kinds[-1] == "response_end" and kinds.count("response_end") == 1, "one end, last", kinds)
    require(witness.rows[-1].emit, "the end is sent")
    fields = json.loads(witness.rows[-1].payload)
    ended = [witness.message.status, witness.run.status, fields["status"]]
    require(len(set(ended)) == 1, "message, run and end agree on the status", ended)
    require(fields["error_type"] == witness.run.error_type, "run and end agree on the error", fields)
    require(witness.run.finished_at is not None and witness.message.finished_at is not None, "both are finished")


def check_story(witness: Witness) -> None:
    """Nothing that was yielded is lost, reordered, doubled or changed, and it ended as it had to."""
    story = story_of(witness.yielded, witness.escaped, witness.run.correlation_id)
    if witness.cancel_reply in UNFINISHED:
        story.status, story.error_type = "cancelled", None
    elif witness.cancel_reply is not None:
        require(witness.cancel_reply == witness.run.status, "a cancel that came late changes nothing")
    logged = [Said(row.type, json.loads(row.payload), row.emit) for row in witness.rows[1:-1]]
    _require_same(logged, story, lambda said: said.persist, "the log is what was yielded")
    for sight in witness.sights:
        if sight.steady:
            seen = [Said(event["type"], _own(event), True, event["sequence"] is not None) for event in sight.events]
            _require_same(seen[1:-1], story, lambda said: said.emit, f"{sight.name} saw all that was to be seen")
    ended = {"status": story.status, "usage": story.usage, "error_type": story.error_type}
    require(json.loads(witness.rows[-1].payload) == ended, "the end says how it was", witness.rows[-1].payload, ended)
    noted = sum(note.get("count", 0) for note in witness.run.notes if note["note"] == "events_after_end_dropped")
    require(noted == story.dropped, "what came after the end is noted", noted, story.dropped)


def _require_same(actual: list[Said], story: Story, among: Any, clause: str) -> None:
    alternatives = [[*story.said, *story.last_words]]
    if story.status == "cancelled":
        alternatives.append(story.said)
    alternatives = [coalesce(filter(among, alternative)) for alternative in alternatives]
    found = coalesce(actual)
    # The expectation stands left: what it can't foretell is decided by its own `==`.
    require(any(expected == found for expected in alternatives), clause, found, *alternatives)


def check_sights(witness: Witness) -> None:
    """Live less the unstored is the replay; the unstored come to each reader at most once, each in its place."""
    steady = next((sight for sight in witness.sights if sight.steady), None)
    for sight in witness.sights:
        require(_expanded(sight.stored, witness) == witness.replay, f"{sight.name} saw what is stored", sight.events)
        if steady is not None and not sight.steady:
            places = [_places(each.events) for each in (sight, steady)]
            require(_is_part_of(*places), f"{sight.name} saw the unstored in their places", *places)


def _places(events: Sequence[Wire]) -> list[tuple[int, Wire]]:
    """The unstored, each with the number before it."""
    places, last = [], -1
    for event in events:
        if event["sequence"] is None:
            places.append((last, event))
        else:
            last = event["sequence"]
    return places


def _is_part_of(some: list[Any], everything: list[Any]) -> bool:
    """Whether `some` is `everything` with none or a few left out."""
    rest = iter(everything)
    return all(any(each == other for other in rest) for each in some)


def check_rest(witness: Witness) -> None:
    listed, stored = witness.rest_events, witness.replay
    enveloped = [
        {"response_id": str(witness.run.pk), "timestamp": each["timestamp"], **event}
        for each, event in zip(listed, stored, strict=False)
    ]
    require(listed == enveloped and len(listed) == len(stored), "REST lists what is stored", listed, stored)


def check_folds(witness: Witness) -> None:
    stored = witness.message
    expected = (stored.parts, stored.metadata, stored.errors, stored.usage, stored.status, witness.run.error_type)
    columns = [(row.type, json.loads(row.payload), row.sequence, row.emit) for row in witness.rows]
    again = Transcript.of(columns)
    folds = [again.visible, *(_fold(sight.stored) for sight in witness.sights)]
    for fold in folds:
        found = (fold.parts, fold.metadata, fold.errors, fold.usage, fold.status, fold.error_type)
        require(found == expected, "a fold of what was seen is what is stored", found, expected)
    require(stored.unredacted == again.unredacted, "staff see a fold of all rows", stored.unredacted)
    names = ("parts", "metadata", "errors", "usage", "status", "sequence")
    rest = {name: witness.rest_message[name] for name in names}
    require(rest == {name: getattr(stored, name) for name in names}, "REST's message is the stored one", rest)


def check_parts(witness: Witness) -> None:
    """Beside the fold: all that was said is in the parts, in its order."""
    said = "".join(event["content"] for event in witness.replay if event["type"] == "content")
    parts = witness.message.parts
    text = "".join(part["content"] for part in parts if part["kind"] == "text")
    require(text == said, "the parts hold all text in its order", text, said)
    made = [PART_KINDS.get(event["type"], "custom") for event in witness.replay if event["type"] not in NO_PART]
    kinds = [part["kind"] for part in parts if part["kind"] not in ("text", "reasoning", "document")]
    require(kinds == made, "each event that makes a part has made one, in its place", kinds, made)
    errors = [event["sequence"] for event in witness.replay if event["type"] == "error"]
    require([error["sequence"] for error in witness.message.errors] == errors, "errors are on record", errors)


def check_resumed(witness: Witness) -> None:
    for resumed in witness.resumed:
        known = [event for event in witness.replay if event["sequence"] <= resumed.after]
        rest = witness.replay[len(known) :]
        held = resumed.sight.stored
        require(len(held) == len(resumed.sight.events), "a replay holds nothing unstored", held)
        require(_expanded(held, witness, rest) == rest, f"resumed after {resumed.after}: all, once", held, rest)
        require(resumed.merge or held == rest, "nothing is merged unasked", held)
        require(_fold_of(known + held) == _fold_of(witness.replay), "a resumed reader folds the same", known, held)
        require(resumed.sight.cursor == witness.rows[-1].sequence, "the last frame reaches the end")


def check_hidden(witness: Witness) -> None:
    require(SECRET not in witness.shown, "what is hidden is on no wire", _around(witness.shown, SECRET))
    require(UNSPEAKABLE not in witness.shown, "nobody reads a trace", _around(witness.shown, UNSPEAKABLE))
    whole = witness.message.unredacted
    require((whole is None) == all(row.emit for row in witness.rows), "staff see what was hidden")
    for part in [*whole["parts"], *whole["errors"]] if whole else []:
        require(part.get("hidden", False) or SECRET not in json.dumps(part), "what is hidden is marked so", part)
    said = [json.loads(row.payload)["content"] for row in witness.rows if row.type == "content" and not row.emit]
    kept = [
        part["content"] for part in (whole or {"parts": []})["parts"] if part["kind"] == "text" and "hidden" in part
    ]
    require("".join(said) == "".join(kept), "staff read all hidden text", said, kept)


def _around(text: str, what: str) -> str:
    at = text.find(what)
    return text[max(0, at - 200) : at + 200] if at >= 0 else ""


def _wire(row: Event) -> Wire:
    return {"type": row.type, "sequence": row.sequence, **json.loads(row.payload)}


def _own(event: Wire) -> Wire:
    return {name: value for name, value in event.items() if name not in ENVELOPE}


def _expanded(events: list[Wire], witness: Witness, among: list[Wire] | None = None) -> list[Wire]:
    """With each merged event replaced by those that it stands for; raises LawBroken if it isn't their sum."""
    expanded: list[Wire] = []
    for event in events:
        if "first_sequence" not in event:
            expanded.append(event)
            continue
        first, last = event["first_sequence"], event["sequence"]
        members = [each for each in among or witness.replay if first <= each["sequence"] <= last]
        sums = coalesce(Said(each["type"], _own(each)) for each in members)
        require(
            first < last and sums == [Said(event["type"], _own(event))], "a merged event is its members' sum", event
        )
        require(members[0]["sequence"] == first and members[-1]["sequence"] == last, "and spans them exactly", event)
        expanded += members
    return expanded


def _fold(events: Sequence[Wire]) -> Fold:
    fold = Fold()
    for event in events:
        fold.feed(event["type"], _own(event), event["sequence"])
    return fold


def _fold_of(events: Sequence[Wire]) -> tuple[Any, ...]:
    fold = _fold(events)
    return fold.parts, fold.metadata, fold.errors, fold.usage, fold.status, fold.error_type
