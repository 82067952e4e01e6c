"""Statements for models' rows, made once: what the ORM's compiling costs each time is most of a small one's time.

Owns their text and how several go to the database: on PostgreSQL in one message, since each way there and back costs
more than what it carries. In the caller's transaction. No signals are sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

from django.db import connection, models

__all__ = ["Statement", "execute", "insertion", "selection", "update", "updates"]


@dataclass(frozen=True, slots=True)
class Statement:
    """Its text, and the values of each time that it is to be executed."""

    text: str
    values: Sequence[Sequence[Any]]


def execute(*statements: Statement) -> list[int]:
    """Executes them in order; how many rows each met. One after the other, or all in one message: so none may rely on
    reading what one before it has met."""
    wanted = [each for each in statements if each.values]
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            met = {id(each): _execute_each(cursor, each) for each in wanted}
        else:
            met = _execute_at_once(cursor, wanted)
    return [met.get(id(each), 0) for each in statements]


def _execute_each(cursor: Any, statement: Statement) -> int:
    cursor.executemany(statement.text, statement.values)
    return int(cursor.rowcount)


def _execute_at_once(cursor: Any, statements: Sequence[Statement]) -> dict[int, int]:
    """One message of the simple query protocol: psycopg's cursor has put the values into the text by then. No
    executemany: Note [no pipeline] in rows.py."""
    if not statements:
        return {}
    text = ";\n".join(each.text for each in statements for _ in each.values)
    cursor.execute(text, list(chain.from_iterable(values for each in statements for values in each.values)))
    met: dict[int, int] = {}
    for each in statements:
        for _ in each.values:
            met[id(each)] = met.get(id(each), 0) + cursor.rowcount
            cursor.nextset()
    return met


def insertion(row: models.Model) -> Statement:
    """`row.save()` of a new row with its own key; the row counts as saved from now on."""
    columns = row._meta.concrete_fields
    values = [each.get_db_prep_save(each.pre_save(row, True), connection) for each in columns]
    row._state.adding, row._state.db = False, connection.alias
    return Statement(_insertion_text(type(row), connection.vendor), [values])


def update(row: models.Model, *fields: str) -> Statement:
    """`row.save(update_fields=fields)`, likewise."""
    key: Any = row._meta.pk
    values = {name: getattr(row, name) for name in fields}
    return updates(type(row), [values], f"{key.column} = %s", [(key.get_db_prep_value(row.pk, connection),)])[0]


def updates(
    model: type[models.Model], rows: Sequence[dict[str, Any]], condition: str, params: Sequence[Sequence[Any]]
) -> list[Statement]:
    """`QuerySet.update` of many rows, each with its own values: one statement for each set of fields."""
    batches: dict[tuple[str, ...], list[list[Any]]] = {}
    for fields, of_row in zip(rows, params, strict=True):
        columns: list[Any] = [model._meta.get_field(name) for name in fields]
        values = [
            column.get_db_prep_save(value, connection) for column, value in zip(columns, fields.values(), strict=True)
        ]
        batches.setdefault(tuple(fields), []).append([*values, *of_row])
    vendor = connection.vendor
    return [Statement(_update_text(model, names, condition, vendor), batch) for names, batch in batches.items()]


@cache
def selection(model: type[models.Model], columns: tuple[str, ...], condition: str, vendor: str) -> str:
    """The text that reads these columns, or the number of rows."""
    quote = connection.ops.quote_name
    selected = ", ".join(map(quote, columns)) or "COUNT(*)"
    return f"SELECT {selected} FROM {quote(model._meta.db_table)} WHERE {condition}"  # noqa: S608 - our own names


@cache
def _insertion_text(model: type[models.Model], vendor: str) -> str:
    quote = connection.ops.quote_name
    columns: list[Any] = list(model._meta.concrete_fields)
    names, places = ", ".join(quote(each.column) for each in columns), ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({places})"  # noqa: S608 - our own names


@cache
def _update_text(model: type[models.Model], fields: tuple[str, ...], condition: str, vendor: str) -> str:
    quote = connection.ops.quote_name
    columns: list[Any] = [model._meta.get_field(name) for name in fields]
    changes = ", ".join(f"{quote(each.column)} = %s" for each in columns)
    return f"UPDATE {quote(model._meta.db_table)} SET {changes} WHERE {condition}"  # noqa: S608 - names of our own models
