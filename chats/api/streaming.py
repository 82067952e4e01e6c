"""An event stream as an HTTP response: from which cursor, for whom and for how long, with which headers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager

from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.request import Request

from chats import guard, limits, sse
from chats.admission import Admission
from chats.api.authentication import credential_of
from chats.api.bodies import parse_cursor
from chats.api.door import flow_of, user_of
from chats.engine import get_engine
from chats.following import Following
from chats.hub import Opening
from chats.models import UNFINISHED, Message

__all__ = ["Reader", "cursor_of", "is_over", "nothing_follows", "stream_to"]


def cursor_of(request: Request) -> int:
    """The last sequence that the client has: `Last-Event-ID` (a reconnecting EventSource's), else `?after=`."""
    last_seen = request.headers.get("Last-Event-ID")
    if last_seen:
        return parse_cursor(last_seen, "Last-Event-ID")
    return parse_cursor(request.query_params.get("after"), "after")


class Reader:
    """Who reads a stream, and over which transport. The guard dismisses whoever may not read any more."""

    def __init__(self, request: Request) -> None:
        self.admission = Admission(user_of(request), credential_of(request))
        self.flow = flow_of(request)
        self.dismissed: asyncio.Future[None] | None = None
        self.streams = False
        self._place: limits.Place | None = None

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Takes one; it is given up at once unless what is done in it makes a stream, which leaves when it is over.

        Raises DoorError rate_limited if the user has as many sockets and streams open as he may have.
        """
        self._place = await get_engine().queries.run(limits.take_place, self.admission.user.pk)
        try:
            yield
        finally:
            if not self.streams:
                self.leave()

    def leave(self) -> None:
        """Gives the place up; again does nothing. Not left to the collector: requests are cycles, and it comes late."""
        if self._place is not None:
            self._place.release()

    def close(self, code: int) -> None:
        """The guard's, on the stream's loop."""
        if self.dismissed is not None and not self.dismissed.done():
            self.dismissed.set_result(None)


def is_over(response: Message, after: int) -> bool:
    """Whether nothing can follow `after` any more."""
    return response.status not in UNFINISHED and response.sequence is not None and after >= response.sequence


def nothing_follows(response_id: str) -> HttpResponse:
    """204: an EventSource stops coming back."""
    return HttpResponse(status=204, headers=_headers(response_id))


def stream_to(
    reader: Reader,
    response_id: str,
    after: int,
    *,
    types: Collection[str] | None = None,
    opening: Opening | None = None,
) -> StreamingHttpResponse:
    """What follows `after` in the response's log. Call it on the event loop: it listens from now on."""
    engine = get_engine()
    batches = Following(response_id, after, engine.hub, engine.queries, opening=opening)
    stream = _Stream(reader, batches, _watched(reader, batches, types))
    reader.streams = True
    headers = _headers(response_id)
    return StreamingHttpResponse(stream, content_type="text/event-stream; charset=utf-8", headers=headers)


class _Stream:
    """What Django iterates. It calls `close` when the request is over, however that came: a client that leaves
    while something is being sent leaves the generator suspended, and one that leaves earlier never starts it."""

    def __init__(self, reader: Reader, batches: Following, texts: AsyncGenerator[str, None]) -> None:
        self._reader = reader
        self._batches = batches
        self._texts = texts

    def close(self) -> None:
        self._batches.close()
        self._reader.leave()

    def __aiter__(self) -> AsyncIterator[str]:
        return self._texts


async def _watched(reader: Reader, batches: Following, types: Collection[str] | None) -> AsyncGenerator[str, None]:
    port = get_engine().hub.port()
    reader.dismissed = asyncio.get_running_loop().create_future()
    guard.watch_over(port, reader)
    try:
        async with aclosing(sse.stream(batches, reader.dismissed, types=types, flow=reader.flow)) as texts:
            async for text in texts:
                yield text
    finally:
        guard.leave(port, reader)
        reader.leave()


def _headers(response_id: str) -> dict[str, str]:
    return {
        "X-Response-Id": response_id,
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",  # nginx would hold events back
    }
