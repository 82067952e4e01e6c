"""An event stream as an HTTP response: from which cursor, for how long, with which headers."""

from __future__ import annotations

from collections.abc import Collection

from django.db import close_old_connections
from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.request import Request

from chats import sse
from chats.api.authentication import credential_of
from chats.api.bodies import parse_cursor
from chats.engine import get_engine
from chats.following import follow
from chats.models import UNFINISHED, Message

__all__ = ["cursor_of", "stream_response"]


def cursor_of(request: Request) -> int:
    """The last sequence that the client has: `Last-Event-ID` (a reconnecting EventSource's), else `?after=`."""
    last_seen = request.headers.get("Last-Event-ID")
    if last_seen:
        return parse_cursor(last_seen, "Last-Event-ID")
    return parse_cursor(request.query_params.get("after"), "after")


def stream_response(
    request: Request, response: Message, after: int, types: Collection[str] | None = None
) -> HttpResponse | StreamingHttpResponse:
    """What follows `after` in the response's log as server-sent events; 204 when nothing can follow."""
    if response.status not in UNFINISHED and response.sequence is not None and after >= response.sequence:
        return HttpResponse(status=204, headers=_headers(response))
    engine = get_engine()
    credential = credential_of(request)

    async def still_allowed() -> bool:
        return await engine.queries.run(credential.holds)

    batches = follow(str(response.pk), after, engine.hub, engine.queries)
    flow = getattr(request._request, "scope", {}).get("workbench.flow")
    text = sse.stream(batches, still_allowed, types=types, flow=flow)
    # This thread, and with it its database connection, is kept for as long as the response lasts.
    close_old_connections()
    return StreamingHttpResponse(text, content_type="text/event-stream; charset=utf-8", headers=_headers(response))


def _headers(response: Message) -> dict[str, str]:
    return {
        "X-Response-Id": str(response.pk),
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",  # nginx would hold events back
    }
