"""Columns that Django doesn't have: JSON kept as the text it was written as, and time-ordered ids."""

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from uuid_utils.compat import uuid7

from handlers.encoding import canonical_json

__all__ = ["JSONTextField", "new_id"]


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562 §5.7): sorts by the time it was made, in one process strictly."""
    return uuid7()


class JSONTextField(models.TextField):
    """A JSON value stored as canonical text.

    PostgreSQL's jsonb reorders keys, rewrites numbers and refuses NUL; what is hashed, or sent
    as it was stored, has to be text.
    """

    if TYPE_CHECKING:  # for the type checker: what goes in and comes out is JSON, not text
        _pyi_private_set_type: Any
        _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else json.loads(value)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else canonical_json(value)

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        return canonical_json(self.value_from_object(obj))
