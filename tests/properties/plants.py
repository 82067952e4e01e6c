"""Bugs to plant: each drops, doubles, reorders or leaks an event somewhere on its way, or ends a response wrongly.

A plant is a function of pytest's monkeypatch that changes the real code in one place, as a slip of the pen would.
FAULTS are other changes, of what is only a hint: the design takes them without harm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from chats import following, journal, reading, recorder, rows
from chats.connection import Connection
from chats.hub import Hub, Port
from chats.models import Event
from chats.protocol import Batch, WireEvent
from chats.runlog import Pending, RunLog
from chats.transcript import Fold, Transcript

__all__ = ["FAULTS", "PLANTS"]

Plant = Callable[[pytest.MonkeyPatch], None]
PLANTS: dict[str, Plant] = {}


def plant(bug: Plant) -> Plant:
    PLANTS[bug.__name__.replace("_", " ")] = bug
    return bug


# What is done to a list of events


def lose(events: list[Any]) -> list[Any]:
    return events[1:] if len(events) > 2 else events


def double(events: list[Any]) -> list[Any]:
    return [events[0], *events] if len(events) > 2 else events


def swap(events: list[Any]) -> list[Any]:
    return [events[1], events[0], *events[2:]] if len(events) > 2 else events


def with_events(batch: Batch, change: Callable[[list[Any]], list[Any]]) -> Batch:
    return replace(batch, events=change(list(batch.events)), _frame=None)


# The way into the log


def _at_the_take(change: Callable[[list[Pending]], list[Pending]]) -> Plant:
    def bug(patch: pytest.MonkeyPatch) -> None:
        take = RunLog.take
        patch.setattr(RunLog, "take", lambda log: change(take(log)))

    return bug


PLANTS["the journal loses an event"] = _at_the_take(lose)
PLANTS["the journal takes an event twice"] = _at_the_take(double)
PLANTS["the journal swaps two events"] = _at_the_take(swap)


@plant
def a_number_is_skipped(patch: pytest.MonkeyPatch) -> None:
    prepare = journal.prepare

    def skipping(log: RunLog) -> Any:
        log.next_sequence += log.next_sequence == 2
        return prepare(log)

    patch.setattr(journal, "prepare", skipping)


@plant
def a_row_is_not_inserted(patch: pytest.MonkeyPatch) -> None:
    insert = rows.insert_events
    patch.setattr(rows, "insert_events", lambda given, *fence: insert(lose(given), *fence))


@plant
def a_row_is_changed(patch: pytest.MonkeyPatch) -> None:
    insert = rows.insert_events
    change = lambda row: (*row[:5], row[5].replace('"a', '"b'), row[6])  # noqa: E731
    patch.setattr(rows, "insert_events", lambda given, *fence: insert([*map(change, given)], *fence))


@plant
def hidden_events_are_published(patch: pytest.MonkeyPatch) -> None:
    prepare = journal.prepare

    def leaking(log: RunLog) -> Any:
        prepared = prepare(log)
        if prepared is not None:
            prepared.batch.events = [WireEvent(row[2], row[1], row[5]) for row in prepared.rows]
        return prepared

    patch.setattr(journal, "prepare", leaking)


@plant
def hidden_events_are_stored_as_shown(patch: pytest.MonkeyPatch) -> None:
    insert = rows.insert_events
    patch.setattr(
        rows, "insert_events", lambda given, *fence: insert([(*row[:3], True, *row[4:]) for row in given], *fence)
    )


@plant
def unstored_events_are_stored(patch: pytest.MonkeyPatch) -> None:
    take = RunLog.take
    patch.setattr(RunLog, "take", lambda log: [replace(event, persist=True) for event in take(log)])


# The end


@plant
def a_response_ends_twice(patch: pytest.MonkeyPatch) -> None:
    take = RunLog.take

    def twice(log: RunLog) -> list[Pending]:
        taken = take(log)
        ended = bool(taken) and taken[-1].type == "response_end"
        return [*taken[:-1], replace(taken[-1]), taken[-1]] if ended else taken

    patch.setattr(RunLog, "take", twice)


@plant
def the_end_is_hidden(patch: pytest.MonkeyPatch) -> None:
    take = RunLog.take
    patch.setattr(
        RunLog,
        "take",
        lambda log: [replace(each, emit=each.emit and each.type != "response_end") for each in take(log)],
    )


@plant
def a_failure_ends_as_completed(patch: pytest.MonkeyPatch) -> None:
    finish = recorder.Recorder.finish

    def forgiving(self: Any, end: Any = None, words: Any = None) -> bool:
        return finish(self) if end is not None and end.error_type == "handler_error" else finish(self, end, words)

    patch.setattr(recorder.Recorder, "finish", forgiving)


@plant
def what_comes_after_the_end_is_kept(patch: pytest.MonkeyPatch) -> None:
    take = recorder.Recorder.take

    def keeping(self: Any, value: Any) -> None:
        declared, self.declared_end = self.declared_end, None
        take(self, value)
        self.declared_end = declared or self.declared_end

    patch.setattr(recorder.Recorder, "take", keeping)


@plant
def long_text_loses_its_tail(patch: pytest.MonkeyPatch) -> None:
    split = recorder.split_text
    patch.setattr(recorder, "split_text", lambda text: list(split(text))[:1])


# Delivery


def _in_the_hub(change: Callable[[list[Any]], list[Any]]) -> Plant:
    def bug(patch: pytest.MonkeyPatch) -> None:
        deliver = Port.deliver
        patch.setattr(
            Port, "deliver", lambda port, batches: deliver(port, [with_events(batch, change) for batch in batches])
        )

    return bug


for change in (lose, double, swap):
    PLANTS[f"the hub delivers a batch that it changed: {change.__name__}"] = _in_the_hub(change)


def _at_the_socket(change: Callable[[list[Any]], list[Any]]) -> Plant:
    def bug(patch: pytest.MonkeyPatch) -> None:
        put = Connection.put
        patch.setattr(Connection, "put", lambda connection, batch: put(connection, with_events(batch, change)))

    return bug


for change in (lose, double, swap):
    PLANTS[f"a connection sends a frame that it changed: {change.__name__}"] = _at_the_socket(change)


@plant
def a_connection_drops_a_frame(patch: pytest.MonkeyPatch) -> None:
    put = Connection.put

    def dropping(connection: Connection, batch: Batch) -> None:
        if batch.after != 0:
            put(connection, batch)

    patch.setattr(Connection, "put", dropping)


@plant
def a_connection_sends_two_frames_the_wrong_way_round(patch: pytest.MonkeyPatch) -> None:
    put = Connection.put
    kept: list[Batch] = []

    def swapping(connection: Connection, batch: Batch) -> None:
        if batch.after == 0 and batch.status is None:
            kept.append(batch)
            return
        put(connection, batch)
        while kept:
            put(connection, kept.pop())

    patch.setattr(Connection, "put", swapping)


@plant
def a_live_reader_sees_unstored_events_twice(patch: pytest.MonkeyPatch) -> None:
    put = Connection.put

    def again(connection: Connection, batch: Batch) -> None:
        put(connection, batch)
        put(connection, batch)

    patch.setattr(Connection, "put", again)


# The replay


def _in_a_page(change: Callable[[list[Any]], list[Any]]) -> Plant:
    def bug(patch: pytest.MonkeyPatch) -> None:
        read = following.read_page

        def changed(*args: Any) -> Any:
            page = read(*args)
            return replace(page, batch=with_events(page.batch, change))

        patch.setattr(following, "read_page", changed)

    return bug


for change in (lose, double, swap):
    PLANTS[f"a page of the log is changed: {change.__name__}"] = _in_a_page(change)


@plant
def a_page_of_the_log_holds_what_is_hidden(patch: pytest.MonkeyPatch) -> None:
    read = following.read_page

    def leaking(response_id: str, after: int, merge: bool = False) -> Any:
        page = read(response_id, after, merge)
        found = Event.objects.filter(response=UUID(response_id), sequence__gt=after).order_by("sequence")
        page.batch.events = [WireEvent(each.type, each.sequence, each.payload) for each in found]
        return page

    patch.setattr(following, "read_page", leaking)


@plant
def a_resumed_reader_gets_the_last_event_again(patch: pytest.MonkeyPatch) -> None:
    read = following.read_page

    def overlapping(response_id: str, after: int, merge: bool = False) -> Any:
        page = read(response_id, max(after - 1, -1), merge)
        page.batch.after = after
        return page

    patch.setattr(following, "read_page", overlapping)


@plant
def merging_loses_the_first_number(patch: pytest.MonkeyPatch) -> None:
    merge = following.merge_events

    def forgetting(events: Any) -> list[WireEvent]:
        return [replace(each, first_sequence=None) for each in merge(events)]

    patch.setattr(following, "merge_events", forgetting)


@plant
def rest_lists_what_is_hidden(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reading, "_visible_events", lambda response, types: Event.objects.filter(response=response))


# The fold


@plant
def the_fold_loses_a_part(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Fold, "parts", property(lambda fold: lose([*_parts_of(fold)])))


@plant
def the_stored_parts_are_swapped(patch: pytest.MonkeyPatch) -> None:
    finish = rows.finish_responses

    def swapped(finished: Sequence[rows.Finished]) -> None:
        for each in finished:
            each.transcript.visible._parts = swap(each.transcript.visible._parts)
        finish(finished)

    patch.setattr(rows, "finish_responses", swapped)


@plant
def the_stored_parts_show_what_is_hidden(patch: pytest.MonkeyPatch) -> None:
    feed = Transcript.feed

    def leaking(transcript: Transcript, kind: str, fields: Any, sequence: int | None, emit: bool) -> None:
        feed(transcript, kind, fields, sequence, emit)
        if not emit:
            transcript.visible.feed(kind, fields, sequence)

    patch.setattr(Transcript, "feed", leaking)


@plant
def staff_see_hidden_parts_unmarked(patch: pytest.MonkeyPatch) -> None:
    feed = Fold.feed

    def unmarked(fold: Fold, kind: str, fields: Any, sequence: int | None, *, hidden: bool = False) -> None:
        feed(fold, kind, fields, sequence)

    patch.setattr(Fold, "feed", unmarked)


def _parts_of(fold: Fold, parts: Any = Fold.parts.fget) -> list[Any]:  # type: ignore[attr-defined]
    found: list[Any] = parts(fold)
    return found


# Of hints


def _to_the_hub(fault: Callable[[Sequence[Batch]], list[Batch]]) -> Plant:
    def bug(patch: pytest.MonkeyPatch) -> None:
        publish = Hub.publish_here
        patch.setattr(Hub, "publish_here", lambda hub, batches: publish(hub, fault(batches)))

    return bug


def _swapped() -> Callable[[Sequence[Batch]], list[Batch]]:
    kept: dict[str, Batch] = {}

    def swapped(batches: Sequence[Batch]) -> list[Batch]:
        late = [each for batch in batches if (each := kept.pop(batch.response_id, None)) is not None]
        if late:
            return [*batches, *late]
        kept.update({batch.response_id: batch for batch in batches if batch.status is None})
        return [batch for batch in batches if batch.status is not None]

    return swapped


def _late(patch: pytest.MonkeyPatch) -> None:
    """Each patch has a swap, and so a waiting batch, of its own."""
    _to_the_hub(_swapped())(patch)


FAULTS: dict[str, Plant] = {
    "lost": _to_the_hub(lambda batches: [batch for batch in batches if batch.status is not None or batch.after % 3]),
    "doubled": _to_the_hub(lambda batches: [batch for batch in batches for _ in range(2)]),
    "late": _late,
}
