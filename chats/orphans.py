"""Ending what no living process runs: the reaper's work.

A worker's row is taken before its runs are ended, so that a process that was only paused finds its lease
gone and can't write any more. Which threads call this is lease.py's to say; `finish_orphan` belongs into a
transaction of the journal's.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from chats.models import UNFINISHED, Event, Run, Worker
from chats.protocol import Batch, WireEvent
from chats.recorder import note
from chats.rows import Finished, Row, finish_responses, insert_events
from chats.runlog import End
from chats.runner import RunFacts, Stop
from chats.transcript import Transcript
from handlers.encoding import canonical_json

__all__ = [
    "LEASE",
    "WORKER_LOST",
    "Told",
    "beat",
    "end_worker",
    "finish_orphan",
    "orphans",
    "read_log",
    "reap_workers",
    "register_worker",
]

LEASE = timedelta(seconds=10)
WORKER_LOST = Stop("error", "worker_lost", "The server that was writing this answer stopped. What it had said is kept.")

_own: set[UUID] = set()


@cache
def machine_identity() -> str:
    """Of this boot and process namespace: where it is equal, a process id means the same process."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{Path('/proc/self/ns/pid').readlink()}"[:64]
    except OSError:
        return ""


def register_worker() -> UUID:
    """Takes a lease for this process."""
    worker = Worker.objects.create(
        host=socket.gethostname(), pid=os.getpid(), boot_id=machine_identity(), beat_at=Now()
    )
    _own.add(worker.pk)
    return worker.pk


def beat(worker_id: UUID) -> bool:
    """Renews the lease; False if somebody has ended it."""
    return bool(Worker.objects.filter(pk=worker_id, ended_at=None).update(beat_at=Now()))


def end_worker(worker_id: UUID) -> None:
    """A clean stop: gives the lease back."""
    Worker.objects.filter(pk=worker_id, ended_at=None).update(ended_at=Now())
    _own.discard(worker_id)


def reap_workers(*, expired: bool = True) -> list[UUID]:
    """Ends the leases of the dead: at once those of this machine's ended processes, and if `expired` those that ran
    out. A process that couldn't reach the database itself must not say it of others: no lease was renewed then."""
    alive = Worker.objects.filter(ended_at=None)
    gone = [worker.pk for worker in alive.filter(boot_id=machine_identity()) if _is_gone(worker)]
    dead = Q(pk__in=gone)
    if expired:
        dead |= Q(beat_at__lt=Now() - LEASE)
    with transaction.atomic():
        # One that is locked is in the middle of a commit, or was paused there: then the database lets it go
        # (journal.TIME_OUTS), and a later beat finds it.
        found = alive.filter(dead).select_for_update(skip_locked=True).values_list("pk", flat=True)
        reaped = [pk for pk in found if pk not in _own]
        Worker.objects.filter(pk__in=reaped, ended_at=None).update(ended_at=Now())
    return reaped


def _is_gone(worker: Worker) -> bool:
    if worker.pk in _own or not worker.boot_id or worker.host != socket.gethostname():
        return False
    if worker.pid == os.getpid():
        return True
    try:
        os.kill(worker.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_zombie(worker.pid)


def _is_zombie(pid: int) -> bool:
    """Whether the process has ended and only its parent doesn't look: proc(5), the state after the name."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] in {"Z", "X"}


def orphans() -> list[str]:
    """The unfinished responses whose worker's lease has ended."""
    found = Run.objects.filter(status__in=UNFINISHED, worker__ended_at__isnull=False)
    return [str(pk) for pk in found.values_list("pk", flat=True)]


def runs_of(worker_id: UUID) -> dict[str, bool]:
    """The worker's unfinished runs: whether somebody asked to cancel them, or their user was deactivated."""
    found = Run.objects.filter(worker=worker_id, status__in=UNFINISHED)
    rows = found.values_list("pk", "cancel_requested_at", "user__is_active")
    return {str(pk): asked_at is not None or not active for pk, asked_at, active in rows}


@dataclass(slots=True)
class Told:
    """What a log says up to, and without, `next_sequence`."""

    transcript: Transcript
    next_sequence: int
    spent: bool = False  # the end was folded into it: the transaction may have failed since


def read_log(response_id: str, told: Told | None = None) -> Told:
    """The log folded, from its beginning or on from `told`. A long one takes a while."""
    told = told or Told(Transcript(), 0)
    later = Event.objects.filter(response_id=UUID(response_id), sequence__gte=told.next_sequence).order_by("sequence")
    for kind, payload, sequence, emit in later.values_list("type", "payload", "sequence", "emit").iterator():
        told.transcript.feed(kind, json.loads(payload), sequence, emit)
        told.next_sequence = sequence + 1
    return told


def finish_orphan(
    response_id: str, stop: Stop = WORKER_LOST, told: Told | None = None
) -> tuple[RunFacts, Batch] | None:
    """Ends an unfinished response after what its log holds; None if it has ended meanwhile.

    `told` was read before the transaction, so that this has only to read on.
    """
    runs = Run.objects.select_for_update(no_key=True, of=("self",)).select_related("request_message")
    run = runs.get(pk=UUID(response_id))
    if run.status not in UNFINISHED:
        return None
    told = read_log(response_id, None if told is not None and told.spent else told)
    told.spent = True
    transcript, sequence = told.transcript, told.next_sequence
    cancelled = run.cancel_requested_at is not None
    end = End("cancelled") if cancelled else End(stop.status, stop.error_type)
    end.notes = [*run.notes, note("ended_for_its_worker", worker=str(run.worker_id), reason=stop.error_type)]
    closing = list(_closing_events(run, sequence == 0, None if cancelled else stop, end))
    rows, events = _numbered(response_id, sequence, closing)
    for row, (_, fields) in zip(rows, closing, strict=True):
        transcript.feed(row[2], fields, row[1], True)
    insert_events(rows)
    last = sequence + len(rows) - 1
    finish_responses([Finished(response_id, last, transcript, end)])
    batch = Batch(response_id, sequence - 1, last, events, int(rows[0][4].timestamp() * 1000), end.status)
    return facts_of(run), batch


def facts_of(run: Run) -> RunFacts:
    """What identifies a stored run."""
    return RunFacts(
        response_id=str(run.pk),
        chat_id=str(run.chat_id),
        message_id=str(run.request_message_id),
        user_id=run.user_id,
        task=run.task,
        correlation_id=run.correlation_id,
        model_id=run.model_id,
    )


def start_fields(run: Run) -> dict[str, object]:
    """What response_start says."""
    return {
        "request_id": run.request_id,
        "chat_id": str(run.chat_id),
        "message_id": str(run.request_message_id),
        "parent_id": str(run.request_message.parent_id) if run.request_message.parent_id else None,
        "task": run.task,
        "model_id": run.model_id,
    }


def _closing_events(run: Run, unbegun: bool, stop: Stop | None, end: End) -> Iterable[tuple[str, dict[str, object]]]:
    if unbegun:
        yield "response_start", start_fields(run)
    if stop is not None and stop.message:
        yield "error", {"error_type": stop.error_type, "message": stop.message}
    yield "response_end", end.fields


def _numbered(
    response_id: str, first: int, closing: list[tuple[str, dict[str, object]]]
) -> tuple[list[Row], list[WireEvent]]:
    now = datetime.now(UTC)
    rows: list[Row] = []
    events = []
    for offset, (kind, fields) in enumerate(closing):
        payload = canonical_json(fields)
        rows.append((response_id, first + offset, kind, True, now, payload, None))
        events.append(WireEvent(kind, first + offset, payload))
    return rows, events
