"""A response's events, stored and live, and its cancel."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from chats import reading, runs
from chats.api.bodies import parse_cursor
from chats.api.door import Continued, Door, LoopDoor, user_of, wants_stream
from chats.api.errors import json_response
from chats.api.pagination import limit_of, list_body
from chats.api.streaming import Reader, cursor_of, is_over, nothing_follows, stream_to
from chats.models import AccessToken, Event, Message
from handlers.encoding import clean_text

__all__ = ["CancelDoor", "EventsDoor"]


class EventsDoor(LoopDoor):
    """GET responses/{id}/events/: a page of the stored events; for an EventSource replay, then live."""

    def get(self, request: Request, response_id: str) -> HttpResponse:
        response = reading.get_response(user_of(request), response_id)
        types = _types_of(request)
        if not wants_stream(request):
            return json_response(_page(request, response, types))
        after = cursor_of(request)
        if is_over(response, after):
            return nothing_follows(str(response.pk))
        return Continued(partial(_stream, Reader(request), str(response.pk), after, types))


async def _stream(reader: Reader, response_id: str, after: int, types: list[str] | None) -> HttpResponseBase:
    async with reader.place():
        return stream_to(reader, response_id, after, types=types)


def _types_of(request: Request) -> list[str] | None:
    """`?type=`, several with commas between them."""
    asked = clean_text(",".join(request.query_params.getlist("type")))
    names = [name.strip() for name in asked.split(",")]
    return [name for name in names if name] or None


def _page(request: Request, response: Message, types: list[str] | None) -> dict[str, Any]:
    after = parse_cursor(request.query_params.get("after"), "after")
    limit = limit_of(request)
    events = reading.events_of(response, after, types)
    found = list(events[: limit + 1])
    following = _link(request, found[limit - 1].sequence) if len(found) > limit else None
    preceding = None if after < 0 else _link(request, reading.cursor_before(response, after, limit, types))
    return list_body([_represent(event) for event in found[:limit]], following, preceding)


def _link(request: Request, after: int) -> str:
    return replace_query_param(request.build_absolute_uri(), "after", after)


def _represent(event: Event) -> dict[str, Any]:
    """The event's own fields come last: a custom event may have a `timestamp` of its own."""
    return {
        "type": event.type,
        "response_id": str(event.response_id),
        "sequence": event.sequence,
        "timestamp": reading.iso_time(event.timestamp),
        **json.loads(event.payload),
    }


class CancelDoor(Door):
    """POST responses/{id}/cancel/: asks for the end of a run; of one that has ended it tells how."""

    scopes = {"POST": AccessToken.Scope.GENERATE}

    def post(self, request: Request, response_id: str) -> HttpResponse:
        response = reading.get_response(user_of(request), response_id)
        status = runs.cancel_run(user_of(request), str(response.pk))
        return json_response({"response_id": str(response.pk), "status": status}, 202)
