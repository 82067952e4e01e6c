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
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connection, models

from chats.models import UNFINISHED, Chat, Event, Message, Run, Worker
from chats.runlog import End
from chats.search import queue_responses
from chats.transcript import Transcript

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
    "insert_row",
    "unfinished_runs_of",
    "update_row",
]

Row = tuple[
    str, int, str, bool, datetime, str, str | None
]  # response, sequence, type, emit, timestamp, payload, details


class WorkerLost(Exception):
    """This process's lease was ended by another: nothing of it may be written any more."""


class AlreadyEnded(Exception):
    """A run was ended by somebody else; what comes now is refused."""


ROWS_A_STATEMENT = 500

# Note [no pipeline]: on PostgreSQL psycopg sends an executemany as a pipeline, whose last word, a Flush after its Sync,
# switches off the server's idle_in_transaction_session_timeout until the next statement: the rows of a process that was
# paused before its COMMIT stayed locked for as long as it was. So there is no executemany there: the events go as rows
# of one statement each time, which is no slower, and ends one after the other.


@lru_cache(maxsize=ROWS_A_STATEMENT + 1)
def _insert_statement(vendor: str, rows: int) -> str:
    quote = connection.ops.quote_name
    columns = ("response_id", "sequence", "type", "emit", "timestamp", "payload", "details")
    table, names = quote(Event._meta.db_table), ", ".join(map(quote, columns))
    places = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * rows)
    return f"INSERT INTO {table} ({names}) VALUES {places}"  # noqa: S608 - names of our own model only


def insert_events(rows: Sequence[Row]) -> None:
    """Appends `rows` to the log. An IntegrityError says that a number is taken."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            adapted = [
                (response.replace("-", ""), sequence, kind, emit, str(at.replace(tzinfo=None)), payload, details)
                for response, sequence, kind, emit, at, payload, details in rows
            ]
            cursor.executemany(_insert_statement("sqlite", 1), adapted)
            return
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            some = rows[start : start + ROWS_A_STATEMENT]
            cursor.execute(_insert_statement("postgresql", len(some)), list(chain.from_iterable(some)))


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
    runs = [_run_fields(each.end, now) for each in finished]
    if _update_many(Run, runs, "response_id = %s AND status IN (%s, %s)", [(key, *UNFINISHED) for key in keys]) < len(
        finished
    ):
        raise AlreadyEnded([each.response_id for each in finished])
    _update_many(Message, [_message_fields(each, now) for each in finished], "id = %s", [(key,) for key in keys])
    of_message = "id = (SELECT chat_id FROM chats_message WHERE id = %s)"
    if connection.vendor == "postgresql":
        # Whoever has the chat's row is changing its time as well. Waiting could be for ever: a start or a deletion
        # locks the chat before its runs, and this has locked the runs.
        of_message = f"id = (SELECT id FROM chats_chat WHERE {of_message} FOR NO KEY UPDATE SKIP LOCKED)"  # noqa: S608 - ours
    _update_many(Chat, [{"updated_at": now}] * len(keys), of_message, [(key,) for key in keys])
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
    statement = _select_statement(Run, columns, "user_id = %s AND request_id = %s", connection.vendor)
    return next(iter(Run.objects.raw(statement, [_key_of_user(user_id), request_id])), None)


def unfinished_runs_of(user_id: UUID) -> int:
    """How many of the user's runs haven't ended."""
    statement = _select_statement(Run, (), "user_id = %s AND status IN (%s, %s)", connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(statement, [_key_of_user(user_id), *UNFINISHED])
        return int(cursor.fetchone()[0])


def _key_of_user(user_id: UUID) -> Any:
    return Run._meta.get_field("user").get_db_prep_value(user_id, connection)


@cache
def _select_statement(model: type[models.Model], columns: tuple[str, ...], condition: str, vendor: str) -> str:
    """The statement for these columns, or for the number of rows."""
    quote = connection.ops.quote_name
    selected = ", ".join(map(quote, columns)) or "COUNT(*)"
    return f"SELECT {selected} FROM {quote(model._meta.db_table)} WHERE {condition}"  # noqa: S608 - our own names


def insert_row(row: models.Model) -> None:
    """`row.save()` of a new row with its own key, without what compiling the statement costs each time. No signals."""
    values = [each.get_db_prep_save(each.pre_save(row, True), connection) for each in row._meta.concrete_fields]
    with connection.cursor() as cursor:
        cursor.execute(_insert_row_statement(type(row), connection.vendor), values)
    row._state.adding, row._state.db = False, connection.alias


@cache
def _insert_row_statement(model: type[models.Model], vendor: str) -> str:
    quote = connection.ops.quote_name
    columns: list[Any] = list(model._meta.concrete_fields)
    names, places = ", ".join(quote(each.column) for each in columns), ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({places})"  # noqa: S608 - our own names


def update_row(row: models.Model, *fields: str) -> None:
    """`row.save(update_fields=fields)`, likewise."""
    key: Any = row._meta.pk
    values = {name: getattr(row, name) for name in fields}
    _update_many(type(row), [values], f"{key.column} = %s", [(key.get_db_prep_value(row.pk, connection),)])


def _update_many(
    model: type[models.Model], rows: Sequence[dict[str, Any]], condition: str, params: Sequence[tuple[Any, ...]]
) -> int:
    """`QuerySet.update` of many rows, without what compiling a statement costs each time; how many there were."""
    batches: dict[tuple[str, ...], list[list[Any]]] = {}
    for fields, of_row in zip(rows, params, strict=True):
        columns: list[Any] = [model._meta.get_field(name) for name in fields]
        values = [
            column.get_db_prep_save(value, connection) for column, value in zip(columns, fields.values(), strict=True)
        ]
        batches.setdefault(tuple(fields), []).append([*values, *of_row])
    found = 0
    with connection.cursor() as cursor:
        for names, batch in batches.items():
            statement = _update_statement(model, names, condition, connection.vendor)
            if connection.vendor == "sqlite":
                cursor.executemany(statement, batch)
                found += cursor.rowcount
                continue
            for values in batch:  # Note [no pipeline]
                cursor.execute(statement, values)
                found += cursor.rowcount
    return found


@cache
def _update_statement(model: type[models.Model], fields: tuple[str, ...], condition: str, vendor: str) -> str:
    quote = connection.ops.quote_name
    columns: list[Any] = [model._meta.get_field(name) for name in fields]
    changes = ", ".join(f"{quote(each.column)} = %s" for each in columns)
    return f"UPDATE {quote(model._meta.db_table)} SET {changes} WHERE {condition}"  # noqa: S608 - names of our own models
