"""The doors that start a run: streamed, or answered when it has ended."""

from __future__ import annotations

from functools import partial

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from chats import reading, runs
from chats.api.bodies import parse_start, read_object
from chats.api.door import Continued, LoopDoor
from chats.api.errors import json_response, quietly
from chats.api.streaming import Reader, cursor_of, is_over, nothing_follows, stream_to
from chats.engine import get_engine
from chats.models import AccessToken, Run, Status
from chats.protocol import DoorError, StartBody

__all__ = ["InvokeDoor", "StreamDoor"]

TIMEOUTS = ("timeout", "first_event_timeout", "idle_timeout")


class StreamDoor(LoopDoor):
    """POST generate/stream: the run's events as they come. The run goes on when the client leaves."""

    scopes = {"POST": AccessToken.Scope.GENERATE}

    def post(self, request: Request) -> HttpResponse:
        body = parse_start(read_object(request._request))
        return Continued(partial(_stream, Reader(request), body, cursor_of(request)))


async def _stream(reader: Reader, body: StartBody, after: int) -> HttpResponseBase:
    user = reader.admission.user
    async with reader.place():
        started = await runs.astart_run(user, body)
        if started.attached:
            response = await get_engine().queries.run(reading.get_response, user, started.response_id)
            if is_over(response, after):
                return nothing_follows(started.response_id)
        # Nothing may be awaited between a start and this, or the run's first unstored events are missed.
        return stream_to(reader, started.response_id, after, opening=started.opening if after < 0 else None)


class InvokeDoor(LoopDoor):
    """POST generate/invoke: starts the run and answers when it has ended.

    Meanwhile it holds no database connection, but a thread, and one of the user's places.
    """

    scopes = {"POST": AccessToken.Scope.GENERATE}

    def post(self, request: Request) -> HttpResponse:
        return Continued(partial(_invoke, Reader(request), parse_start(read_object(request._request))))


async def _invoke(reader: Reader, body: StartBody) -> HttpResponse:
    async with reader.place():
        started = await runs.astart_run(reader.admission.user, body)
        await runs.wait_for_end(started.response_id)
    return await get_engine().queries.run(_answer, reader, started.response_id)


def _answer(reader: Reader, response_id: str) -> HttpResponse:
    """200 with the message that was stored; for a failed run 502, for one that took too long 504."""
    if not reader.admission.credential.holds():
        raise DoorError("unauthorized", "You were logged out while the answer was being made.")
    response = reading.get_response(reader.admission.user, response_id)
    headers = {"X-Response-Id": response_id}
    if response.status != Status.ERROR:
        return json_response(reading.represent_message(response), headers=headers)
    error_type = Run.objects.values_list("error_type", flat=True).get(pk=response.pk) or "handler_error"
    message = response.errors[-1]["message"] if response.errors else "The answer could not be made."
    body = {"code": error_type, "message": message, "response_id": response_id}
    return quietly(json_response(body, 504 if error_type in TIMEOUTS else 502, headers))
