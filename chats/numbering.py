"""From what waits in a RunLog to numbered rows for the database and the batch that tells of them.

Owns the moment in which an event gets its number, and the fold that goes with it. Only in the journal's thread, which
writes and publishes what this gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Max

from chats import rows
from chats.models import Event
from chats.protocol import Batch, WireEvent
from chats.runlog import End, RunLog
from handlers.encoding import canonical_json

__all__ = ["Prepared", "is_stored", "prepare"]


@dataclass(slots=True)
class Prepared:
    """What was taken from one RunLog, numbered: its rows and the batch that tells of them."""

    log: RunLog
    rows: list[rows.Row]
    batch: Batch
    end: End | None
    held: bool = False

    @property
    def response_id(self) -> str:
        return self.log.response_id

    def end_as_cancelled(self) -> None:
        """Somebody asked for the cancel before this end was committed, so that's how it ends."""
        end = End("cancelled", None, self.end.usage, self.end.notes) if self.end else End("cancelled")
        self.end = self.log.end = end
        fields = end.fields
        payload = canonical_json(fields)
        self.rows[-1] = (*self.rows[-1][:5], payload, None)
        self.batch.events[-1] = WireEvent("response_end", self.batch.through, payload)
        self.batch.status = end.status
        self.log.transcript.feed("response_end", fields, self.batch.through, True)


def prepare(log: RunLog) -> Prepared | None:
    """Numbers what waits in `log` and folds it. From here on it is written as it is, or not at all."""
    taken = log.take()
    if not taken:
        return None
    after = log.next_sequence - 1
    stored: list[rows.Row] = []
    events: list[WireEvent] = []
    for event in taken:
        fields = event.settled()
        payload = event.payload or "{}"
        sequence = None
        if event.persist:
            sequence = log.next_sequence
            log.next_sequence += 1
            at = datetime.fromtimestamp(event.at, UTC)
            stored.append((log.response_id, sequence, event.type, event.emit, at, payload, event.details))
            log.transcript.feed(event.type, fields, sequence, event.emit)
        if event.emit:
            events.append(WireEvent(event.type, sequence, payload))
    if not stored and not events:
        return None  # neither kept nor shown: not even an empty frame tells of it
    end = log.end if taken[-1].type == "response_end" else None
    status = end.status if end is not None else None
    batch = Batch(log.response_id, after, log.next_sequence - 1, events, int(taken[0].at * 1000), status)
    return Prepared(log, stored, batch, end)


def is_stored(prepared: Prepared) -> bool:
    """Whether the log reaches as far as this; for a commit whose outcome isn't known."""
    last = Event.objects.filter(response_id=UUID(prepared.response_id)).aggregate(last=Max("sequence"))["last"]
    return last is not None and last >= prepared.batch.through
