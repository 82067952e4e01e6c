"""Lists page by page, each page found by its key: the first costs the same at a million rows.

Owns `limit`, the cursors in the links, and the lists' shape {"results", "next", "previous"}. A cursor
names the ordering that it was made for and the place in it; it is no secret, and a made-up one gets
its maker nothing but a page of his own list.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from chats.api.bodies import invalid
from handlers.encoding import canonical_json, clean_text

__all__ = ["DEFAULT_LIMIT", "MAX_LIMIT", "limit_of", "list_body", "page_of", "page_of_ids", "whole_list"]

DEFAULT_LIMIT = 50
MAX_LIMIT = 100

Row = TypeVar("Row", bound=Model)
Body = dict[str, Any]
Represent = Callable[[Sequence[Row]], list[Body]]


def limit_of(request: Request) -> int:
    """`?limit=`: at most MAX_LIMIT, however much was asked for. Raises DoorError invalid for no number above 0."""
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdecimal()) or int(text[:9]) < 1:
        raise invalid("limit", f"It must be a number from 1 to {MAX_LIMIT}.")
    return min(int(text[:9]), MAX_LIMIT)


def list_body(results: list[Body], following: str | None, preceding: str | None) -> Body:
    return {"results": results, "next": following, "previous": preceding}


def whole_list(results: list[Body]) -> Body:
    """A list that always fits on one page."""
    return list_body(results, None, None)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: before or after (`backward`) the row with this `key`, its values as text."""

    ordering: str
    key: tuple[str, ...]
    backward: bool = False

    def encode(self) -> str:
        text = canonical_json([self.ordering, "p" if self.backward else "n", *self.key])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, request: Request, ordering: str) -> Cursor | None:
        """The request's cursor. Raises DoorError invalid for one that isn't of this list."""
        text = request.query_params.get("cursor")
        if not text:
            return None
        try:
            parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, binascii.Error, RecursionError):
            parts = None
        if not isinstance(parts, list) or len(parts) < 3 or not all(isinstance(part, str) for part in parts):
            raise _not_a_cursor()
        if parts[0] != ordering or parts[1] not in ("n", "p"):
            raise _not_a_cursor()
        return cls(ordering, tuple(map(clean_text, parts[2:])), parts[1] == "p")

    def link(self, request: Request) -> str:
        return replace_query_param(request.build_absolute_uri(), "cursor", self.encode())


def _not_a_cursor() -> Exception:
    return invalid("cursor", "It must be taken from this list's “next” or “previous”.")


def page_of(rows: QuerySet[Row], request: Request, ordering: str, represent: Represent[Row]) -> Body:
    """A page of `rows` by `ordering`: a field's name, "-" before it for descending; ties go by id.

    One query. `represent` makes the objects of a page at once.
    """
    limit = limit_of(request)
    cursor = Cursor.of(request, ordering)
    found = list(_seek(rows, ordering, cursor)[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    backward = cursor is not None and cursor.backward
    if backward:
        found.reverse()
    has_next, has_previous = (True, more) if backward else (more, cursor is not None)
    following = _cursor_at(found[-1], ordering, backward=False).link(request) if found and has_next else None
    preceding = _cursor_at(found[0], ordering, backward=True).link(request) if found and has_previous else None
    return list_body(represent(found), following, preceding)


def _seek(rows: QuerySet[Row], ordering: str, cursor: Cursor | None) -> QuerySet[Row]:
    field = ordering.removeprefix("-")
    names = (field,) if field == "id" else (field, "id")
    descending = ordering.startswith("-") is not (cursor is not None and cursor.backward)
    if cursor is not None:
        rows = rows.filter(_beyond(rows.model, names, cursor.key, "lt" if descending else "gt"))
    return rows.order_by(*[f"-{name}" if descending else name for name in names])


def _beyond(model: type[Model], names: Sequence[str], key: Sequence[str], side: str) -> Q:
    """The rows past `key`. The bound on the first field is said apart: databases seek by it, and not by an OR."""
    try:
        fields: list[Any] = [model._meta.get_field(name) for name in names]
        values = [_as_stored(field.to_python(value)) for field, value in zip(fields, key, strict=True)]
    except (ValueError, OverflowError, ValidationError) as error:
        raise _not_a_cursor() from error
    if len(names) == 1:
        return Q((f"{names[0]}__{side}", values[0]))
    past = Q((f"{names[0]}__{side}", values[0])) | Q((f"{names[1]}__{side}", values[1]))
    return Q((f"{names[0]}__{side}e", values[0])) & past


def _as_stored(value: Any) -> Any:
    """Times in UTC, as databases want them: an offset may lead beyond what there is, and raises OverflowError."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _cursor_at(row: Model, ordering: str, *, backward: bool) -> Cursor:
    field = ordering.removeprefix("-")
    names = (field,) if field == "id" else (field, "id")
    return Cursor(ordering, tuple(_as_text(getattr(row, name)) for name in names), backward)


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def page_of_ids(ids: Sequence[UUID], request: Request, represent: Callable[[Sequence[UUID]], list[Body]]) -> Body:
    """A page of a list whose order is known, as a branch's is: by place, after or before the id in the cursor."""
    limit = limit_of(request)
    cursor = Cursor.of(request, "branch")
    start = 0
    if cursor is not None:
        try:
            place = ids.index(UUID(cursor.key[0]))
        except ValueError as error:
            raise _not_a_cursor() from error
        start = max(0, place - limit) if cursor.backward else place + 1
        limit = min(limit, place) if cursor.backward else limit
    page = ids[start : start + limit]
    stop = start + len(page)
    following = Cursor("branch", (str(page[-1]),)).link(request) if page and stop < len(ids) else None
    preceding = Cursor("branch", (str(page[0]),), True).link(request) if page and start > 0 else None
    return list_body(represent(page), following, preceding)
