"""The chat list in groups by date, for the page's first sight; static/chats/shelves.js keeps it up to date.

Pure. Days are UTC's here, since the server doesn't know the reader's zone; the page groups anew in theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.utils.dateformat import format as format_date
from django.utils.translation import gettext

__all__ = ["shelved"]


def shelved(chats: Iterable[Mapping[str, Any]], today: date | None = None) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Chat objects, newest first, as (heading, chats) in order; pinned ones before all others."""
    today = today or datetime.now(UTC).date()
    listed = sorted(chats, key=lambda chat: not chat.get("pinned"))
    return [(heading, list(group)) for heading, group in groupby(listed, lambda chat: _heading(chat, today))]


def _heading(chat: Mapping[str, Any], today: date) -> str:
    if chat.get("pinned"):
        return gettext("Pinned")
    day = datetime.fromisoformat(chat["last_message_at"]).date()
    if day >= today:
        return gettext("Today")
    if day == today - timedelta(days=1):
        return gettext("Yesterday")
    if day >= today - timedelta(days=7):
        return gettext("Last 7 days")
    return format_date(day, "F Y")
