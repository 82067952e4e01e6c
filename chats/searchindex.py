"""The index of what can be searched: a row for each piece of a message and for each chat's title.

Owns its table and column. The tokens are searched through SQLite's FTS5, kept in step by triggers, or a GIN index of
PostgreSQL's; both are made by the migration. What goes in and how it is asked is search.py's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import Q

__all__ = ["SearchEntry", "TokensField"]


class TokensField(models.TextField):
    """Tokens in order: text for FTS5, a tsvector with positions on PostgreSQL. Written from a list, never read."""

    def db_type(self, connection: Any) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        return "%s::tsvector" if connection.vendor == "postgresql" else "%s"

    def get_db_prep_value(self, value: Sequence[str] | None, connection: Any, prepared: bool = False) -> Any:
        if value is None:
            return None
        if connection.vendor == "postgresql":
            return " ".join(f"'{token}':{place}" for place, token in enumerate(value, 1))
        return " ".join(value)

    def get_prep_value(self, value: Any) -> Any:
        return value


class SearchEntry(models.Model):
    """A piece of a message from the offset `start`, or where there is no message the chat's title.

    Ids ascend with time, so the newest hits have the highest. Without tokens it waits to be indexed: such a row is
    written with what is to be found, and its tokens soon after, so that no answer's end waits for them.
    """

    id = models.BigAutoField(primary_key=True)
    # Without the database's constraints: their checks lock the chat's row, and an answer's end mustn't wait for that.
    chat = models.ForeignKey("chats.Chat", models.CASCADE, related_name="+", db_constraint=False)
    message = models.ForeignKey(
        "chats.Message", models.CASCADE, null=True, related_name="+", db_index=False, db_constraint=False
    )
    start = models.PositiveIntegerField(default=0, help_text="Characters of the message's text before the piece.")
    tokens = TokensField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "start"], name="search_piece_unique_per_message"),
            models.UniqueConstraint(fields=["chat"], condition=Q(message=None), name="search_title_unique_per_chat"),
        ]
        # Asked for in this order: for that of ids alone SQLite would walk through the table.
        indexes = [models.Index(fields=["start", "id"], name="search_waiting", condition=Q(tokens=None))]

    def __str__(self) -> str:
        return f"{self.message_id or self.chat_id} from {self.start}"
