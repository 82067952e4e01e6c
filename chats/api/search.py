"""GET search/: what a user finds in his own chats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from chats import reading, search
from chats.api.bodies import invalid
from chats.api.door import Door, user_of
from chats.api.errors import json_response
from chats.api.pagination import Cursor, limit_of, list_body
from chats.searchtext import MAX_QUERY, Highlighted, parse_query
from handlers.encoding import clean_text

__all__ = ["SearchDoor"]

ORDERING = "search"


class SearchDoor(Door):
    """GET search/?q=: the chats that hold all the words, each once, titles before messages and the newest first."""

    def get(self, request: Request) -> HttpResponse:
        query = clean_text(request.query_params.get("q", ""))
        if not query.strip():
            raise invalid("q", "Say what to look for.")
        if len(query) > MAX_QUERY:
            raise invalid("q", f"It may have {MAX_QUERY} characters.")
        limit = limit_of(request)
        found = search.find_chats(user_of(request), parse_query(query), _place_of(request), limit)
        return json_response(list_body(_represent(found.hits), _link(request, found.following), None))


def _place_of(request: Request) -> search.Place:
    cursor = Cursor.of(request, ORDERING)
    if cursor is None:
        return search.Place()
    phase, before = (*cursor.key, "")[:2]
    if phase not in (search.TITLES, search.MESSAGES) or not (before.isascii() and before.isdecimal()):
        raise invalid("cursor", "It must be taken from this list's “next”.")
    return search.Place(phase, min(int(before[:19]), search.NEWEST))


def _link(request: Request, place: search.Place | None) -> str | None:
    return None if place is None else Cursor(ORDERING, (place.phase, str(place.before))).link(request)


def _represent(hits: Sequence[search.Hit]) -> list[dict[str, Any]]:
    chats = reading.represent_chats([hit.chat for hit in hits])
    return [
        {
            "chat": chat,
            "title": _highlighted(hit.title),
            "message_id": str(hit.message.pk) if hit.message else None,
            "kind": hit.message.kind if hit.message else None,
            "created_at": reading.iso_time(hit.message.created_at) if hit.message else None,
            "snippet": _highlighted(hit.snippet),
        }
        for hit, chat in zip(hits, chats, strict=True)
    ]


def _highlighted(shown: Highlighted | None) -> dict[str, Any] | None:
    return None if shown is None else {"text": shown.text, "ranges": [list(each) for each in shown.ranges]}
