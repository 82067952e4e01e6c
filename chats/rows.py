"""The statements that write the log: events in bulk, and the end of a response with its fold.

Runs inside a transaction that the caller opened in the journal's thread. Knows no threads and no
hub. Why raw SQL: the ORM's bulk_create costs several times more per row, on the hottest path there is, and a
hundred responses that end in one commit held up all others for 80 ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, models

from chats.models import UNFINISHED, Chat, Event, Message, Run, Worker
from chats.runlog import End
from chats.transcript import Transcript

__all__ = [
    "AlreadyEnded",
    "Row",
    "WorkerLost",
    "cancels_among",
    "confirm_lease",
    "finish_response",
    "insert_events",
    "insert_row",
    "update_row",
]

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
    statement, params = _lease_statement(worker_id, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        if cursor.fetchone() is None:
            raise WorkerLost(str(worker_id))


@lru_cache(maxsize=8)
def _lease_statement(worker_id: UUID, vendor: str) -> tuple[str, tuple[Any, ...]]:
    """Compiled once: with every commit that took a third of the writer's time."""
    lease = Worker.objects.filter(pk=worker_id, ended_at=None).select_for_update(no_key=True)
    statement, params = lease.values_list("pk").query.get_compiler(connection=connection).as_sql()
    return statement, tuple(params)


def cancels_among(response_ids: Iterable[str]) -> set[str]:
    """Those of the runs that somebody has asked to cancel. Locks the runs until the transaction ends."""
    # Not filtered by the database: those that nobody has asked to cancel are to be locked too.
    runs = Run.objects.filter(pk__in=[UUID(each) for each in response_ids]).select_for_update(no_key=True)
    rows = runs.order_by("pk").values_list("pk", "cancel_requested_at")
    return {str(response_id) for response_id, asked_at in rows if asked_at is not None}


def finish_response(response_id: str, sequence: int, transcript: Transcript, end: End) -> None:
    """Writes what a response ended as: run, message and chat. Raises AlreadyEnded if it has ended."""
    now = datetime.now(UTC)
    key = Message._meta.pk.get_db_prep_value(UUID(response_id), connection)
    fields: dict[str, Any] = {"status": end.status, "error_type": end.error_type, "finished_at": now}
    if end.notes:
        fields["notes"] = end.notes
    if not _update(Run, fields, "response_id = %s AND status IN (%s, %s)", key, *UNFINISHED):
        raise AlreadyEnded(response_id)
    visible = transcript.visible
    folded = {
        "status": end.status,
        "sequence": sequence,
        "parts": visible.parts,
        "errors": visible.errors,
        "metadata": visible.metadata,
        "unredacted": transcript.unredacted,
        "usage": end.usage,
        "finished_at": now,
    }
    _update(Message, folded, "id = %s", key)
    _update(Chat, {"updated_at": now}, "id = (SELECT chat_id FROM chats_message WHERE id = %s)", key)


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
    _update(type(row), values, f"{key.column} = %s", key.get_db_prep_value(row.pk, connection))


def _update(model: type[models.Model], fields: dict[str, Any], condition: str, *params: Any) -> int:
    """`QuerySet.update` without what compiling the statement costs each time; the number of rows."""
    columns: list[Any] = [model._meta.get_field(name) for name in fields]
    values = [
        column.get_db_prep_save(value, connection) for column, value in zip(columns, fields.values(), strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_update_statement(model, tuple(fields), condition, connection.vendor), [*values, *params])
        return int(cursor.rowcount)


@cache
def _update_statement(model: type[models.Model], fields: tuple[str, ...], condition: str, vendor: str) -> str:
    quote = connection.ops.quote_name
    columns: list[Any] = [model._meta.get_field(name) for name in fields]
    changes = ", ".join(f"{quote(each.column)} = %s" for each in columns)
    return f"UPDATE {quote(model._meta.db_table)} SET {changes} WHERE {condition}"  # noqa: S608 - names of our own models
