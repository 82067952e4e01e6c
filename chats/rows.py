"""The statements that write the log: events in bulk, and the end of a response with its fold.

Runs inside a transaction that the caller opened in the journal's thread. Knows no threads and no
hub. Why raw SQL: the ORM's bulk_create costs several times more per row, on the hottest path there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection

from chats.models import UNFINISHED, Chat, Event, Message, Run, Worker
from chats.runlog import End
from chats.transcript import Transcript

__all__ = ["AlreadyEnded", "Row", "WorkerLost", "cancels_among", "confirm_lease", "finish_response", "insert_events"]

Row = tuple[
    str, int, str, bool, datetime, str, str | None
]  # response, sequence, type, emit, timestamp, payload, details


class WorkerLost(Exception):
    """This process's lease was ended by another: nothing of it may be written any more."""


class AlreadyEnded(Exception):
    """The run was ended by somebody else; what comes now is refused."""

    def __init__(self, response_id: str) -> None:
        super().__init__(response_id)
        self.response_id = response_id


@cache
def _insert_statement(vendor: str) -> str:
    quote = connection.ops.quote_name
    columns = ("response_id", "sequence", "type", "emit", "timestamp", "payload", "details")
    table, names, places = quote(Event._meta.db_table), ", ".join(map(quote, columns)), ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608 - names of our own model only


def insert_events(rows: Sequence[Row]) -> None:
    """Appends `rows` to the log. An IntegrityError says that a number is taken."""
    if connection.vendor == "sqlite":
        adapted: Sequence[tuple[Any, ...]] = [
            (response.replace("-", ""), sequence, kind, emit, str(at.replace(tzinfo=None)), payload, details)
            for response, sequence, kind, emit, at, payload, details in rows
        ]
    else:
        adapted = rows
    with connection.cursor() as cursor:
        cursor.executemany(_insert_statement(connection.vendor), adapted)


def confirm_lease(worker_id: UUID) -> None:
    """Raises WorkerLost unless the worker's lease holds; until the transaction ends nobody can end it."""
    lease = Worker.objects.filter(pk=worker_id, ended_at=None).select_for_update(no_key=True)
    if lease.values_list("pk").first() is None:
        raise WorkerLost(str(worker_id))


def cancels_among(response_ids: Iterable[str]) -> set[str]:
    """Those of the runs that somebody has asked to cancel. Locks the runs until the transaction ends."""
    runs = Run.objects.filter(pk__in=[UUID(each) for each in response_ids]).select_for_update(no_key=True)
    asked = runs.filter(cancel_requested_at__isnull=False)
    return {str(response_id) for response_id in asked.values_list("pk", flat=True)}


def finish_response(response_id: str, sequence: int, transcript: Transcript, end: End) -> None:
    """Writes what a response ended as: run, message and chat. Raises AlreadyEnded if it has ended."""
    now = datetime.now(UTC)
    run = Run.objects.filter(pk=UUID(response_id), status__in=UNFINISHED)
    fields: dict[str, Any] = {"status": end.status, "error_type": end.error_type, "finished_at": now}
    if end.notes:
        fields["notes"] = end.notes
    if not run.update(**fields):
        raise AlreadyEnded(response_id)
    visible = transcript.visible
    Message.objects.filter(pk=UUID(response_id)).update(
        status=end.status,
        sequence=sequence,
        parts=visible.parts,
        errors=visible.errors,
        metadata=visible.metadata,
        unredacted=transcript.unredacted,
        usage=end.usage,
        finished_at=now,
    )
    Chat.objects.filter(messages=UUID(response_id)).update(updated_at=now)
