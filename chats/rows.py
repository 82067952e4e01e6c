"""The statements that write the log: events in bulk, and the end of a response with its fold.

Runs inside a transaction that the caller opened in the journal's thread. Knows no threads and no
hub. Why raw SQL: the ORM's bulk_create costs several times more per row, on the hottest path there is, and a
hundred responses that end in one commit held up all others for 80 ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from chats.models import UNFINISHED, Chat, Event, Message, Run, Worker
from chats.runlog import End
from chats.search import queue_responses
from chats.statements import Statement, execute, selection, updates
from chats.transcript import Transcript
from handlers.encoding import canonical_json

__all__ = [
    "AlreadyEnded",
    "Finished",
    "Row",
    "WorkerLost",
    "cancels_among",
    "confirm_lease",
    "find_run",
    "finish_responses",
    "insert_events",
    "insertion_of_events",
    "is_fenced_in_one",
    "unfinished_runs_of",
]

Row = tuple[str, int, str, bool, datetime, str, str | None]
# The events' columns in a row's order, with PostgreSQL's types (text for varchar(100), which would be cut to measure).
COLUMNS = {
    "response_id": "uuid",
    "sequence": "bigint",
    "type": "text",
    "emit": "boolean",
    "timestamp": "timestamptz",
    "payload": "text",
    "details": "text",
}


class WorkerLost(Exception):
    """This process's lease was ended by another: nothing of it may be written any more."""


class AlreadyEnded(Exception):
    """A run was ended by somebody else; what comes now is refused."""


# Note [no pipeline]: on PostgreSQL psycopg sends an executemany as a pipeline, whose last word, a Flush after its Sync,
# switches off the server's idle_in_transaction_session_timeout until the next statement: the rows of a process that was
# paused before its COMMIT stayed locked for as long as it was. So there is no executemany there: events go as one
# statement, and others as several in one message, which the simple query protocol allows.


def insert_events(rows: Sequence[Row], worker_id: UUID | None = None) -> None:
    """Appends `rows` to the log. An IntegrityError says that a number is taken.

    With `worker_id`, where `is_fenced_in_one` says so, it is `confirm_lease` too, and a transaction of its own: one way
    to the server and back instead of four, which counts where both are busy, and nothing is locked between two ways.
    """
    if worker_id is None:
        execute(insertion_of_events(rows))
    elif execute(Statement(_fenced_insertion_text(), [[worker_id, _as_json(rows)]])) != [len(rows)]:
        raise WorkerLost(str(worker_id))


def is_fenced_in_one() -> bool:
    """Whether this database takes a lease's check and the events as one statement."""
    return connection.vendor == "postgresql"


def insertion_of_events(rows: Sequence[Row]) -> Statement:
    """The statement that appends `rows` to the log."""
    if connection.vendor == "postgresql":
        return Statement(_insertion_text("postgresql"), [[_as_json(rows)]])
    adapted = [
        (response.replace("-", ""), sequence, kind, emit, str(at.replace(tzinfo=None)), payload, details)
        for response, sequence, kind, emit, at, payload, details in rows
    ]
    return Statement(_insertion_text("sqlite"), adapted)


def _as_json(rows: Sequence[Row]) -> str:
    """A third of what it takes psycopg to quote each value, and the statement is the same for any number of rows."""
    return canonical_json([dict(zip(COLUMNS, (*row[:4], row[4].isoformat(), *row[5:]), strict=True)) for row in rows])


@cache
def _insertion_text(vendor: str) -> str:
    quote = connection.ops.quote_name
    table, names = quote(Event._meta.db_table), ", ".join(map(quote, COLUMNS))
    if vendor == "sqlite":
        return f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608 - our own names
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM {_records()}"  # noqa: S608 - names of our own model only


@cache
def _fenced_insertion_text() -> str:
    """Without the lease's row, which is locked first, there is nothing to insert."""
    quote = connection.ops.quote_name
    table, worker, names = quote(Event._meta.db_table), quote(Worker._meta.db_table), ", ".join(map(quote, COLUMNS))
    return (
        f"WITH lease AS MATERIALIZED (SELECT 1 FROM {worker} WHERE id = %s AND ended_at IS NULL FOR KEY SHARE) "  # noqa: S608 - ours
        f"INSERT INTO {table} ({names}) SELECT {names} FROM lease, {_records()}"
    )


def _records() -> str:
    """The rows of a JSON array of objects: https://www.postgresql.org/docs/current/functions-json.html"""
    columns = ", ".join(f"{connection.ops.quote_name(name)} {kind}" for name, kind in COLUMNS.items())
    return f"json_to_recordset(%s::json) AS record({columns})"


def confirm_lease(worker_id: UUID, *, alone: bool = False) -> None:
    """Raises WorkerLost unless the worker's lease holds; until the transaction ends nobody can end it.

    `alone` waits until no other transaction relies on it: one whose connection broke may still be committed.
    """
    statement, params = _lease_statement(worker_id, connection.vendor, alone)
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        if cursor.fetchone() is None:
            raise WorkerLost(str(worker_id))


@lru_cache(maxsize=8)
def _lease_statement(worker_id: UUID, vendor: str, alone: bool) -> tuple[str, tuple[Any, ...]]:
    """Compiled once: with every commit that took a third of the writer's time."""
    lease = Worker.objects.filter(pk=worker_id, ended_at=None)
    statement, params = lease.values_list("pk").query.get_compiler(connection=connection).as_sql()
    # The weakest lock: it keeps the reaper out (orphans.reap_workers), and lets the beat renew the lease.
    lock = " FOR UPDATE" if alone else " FOR KEY SHARE"
    return statement + (lock if vendor == "postgresql" else ""), tuple(params)


def cancels_among(response_ids: Iterable[str]) -> set[str]:
    """Those of the runs that somebody has asked to cancel. Locks the runs until the transaction ends."""
    # Not filtered by the database: those that nobody has asked to cancel are to be locked too.
    runs = Run.objects.filter(pk__in=[UUID(each) for each in response_ids]).select_for_update(no_key=True)
    rows = runs.order_by("pk").values_list("pk", "cancel_requested_at")
    return {str(response_id) for response_id, asked_at in rows if asked_at is not None}


@dataclass(frozen=True, slots=True)
class Finished:
    """A response's end as it goes into the tables."""

    response_id: str
    sequence: int
    transcript: Transcript
    end: End


def finish_responses(finished: Sequence[Finished]) -> None:
    """Writes what responses ended as: run, message and chat. Raises AlreadyEnded if one of them has ended."""
    now = datetime.now(UTC)
    keys = [Message._meta.pk.get_db_prep_value(UUID(each.response_id), connection) for each in finished]
    of_message = "id = (SELECT chat_id FROM chats_message WHERE id = %s)"
    if connection.vendor == "postgresql":
        # Whoever has the chat's row is changing its time as well; the last message's may stay the question's. Waiting
        # could be for ever: a start or a deletion locks the chat before its runs, and this has locked the runs.
        of_message = f"id = (SELECT id FROM chats_chat WHERE {of_message} FOR NO KEY UPDATE SKIP LOCKED)"  # noqa: S608 - ours
    runs = updates(
        Run,
        [_run_fields(each.end, now) for each in finished],
        "response_id = %s AND status IN (%s, %s)",
        [(key, *UNFINISHED) for key in keys],
    )
    met = execute(
        *runs,
        *updates(Message, [_message_fields(each, now) for each in finished], "id = %s", [(key,) for key in keys]),
        *updates(Chat, [{"updated_at": now, "last_message_at": now}] * len(keys), of_message, [(key,) for key in keys]),
    )
    if sum(met[: len(runs)]) < len(finished):
        raise AlreadyEnded([each.response_id for each in finished])
    queue_responses(keys)


def _run_fields(end: End, now: datetime) -> dict[str, Any]:
    fields = {"status": end.status, "error_type": end.error_type, "finished_at": now}
    return fields | {"notes": end.notes} if end.notes else fields


def _message_fields(finished: Finished, now: datetime) -> dict[str, Any]:
    visible = finished.transcript.visible
    return {
        "status": finished.end.status,
        "sequence": finished.sequence,
        "parts": visible.parts,
        "errors": visible.errors,
        "metadata": visible.metadata,
        "unredacted": finished.transcript.unredacted,
        "usage": finished.end.usage,
        "finished_at": now,
    }


def find_run(user_id: UUID, request_id: str) -> Run | None:
    """The user's run that this request started. Part of it is read: its own, its chat's and its request's key, and
    the hash of the body."""
    columns = ("response_id", "chat_id", "request_message_id", "request_id", "body_hash")
    statement = selection(Run, columns, "user_id = %s AND request_id = %s", connection.vendor)
    return next(iter(Run.objects.raw(statement, [_key_of_user(user_id), request_id])), None)


def unfinished_runs_of(user_id: UUID) -> int:
    """How many of the user's runs haven't ended."""
    statement = selection(Run, (), "user_id = %s AND status IN (%s, %s)", connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(statement, [_key_of_user(user_id), *UNFINISHED])
        return int(cursor.fetchone()[0])


def _key_of_user(user_id: UUID) -> Any:
    return Run._meta.get_field("user").get_db_prep_value(user_id, connection)
