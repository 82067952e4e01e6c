"""The doors that start a run: streamed, or answered when it has ended."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request

from chats import reading, runs
from chats.api.bodies import parse_start, read_object
from chats.api.door import Door, user_of
from chats.api.errors import answer_refusal, json_response
from chats.api.streaming import cursor_of, stream_response
from chats.models import AccessToken, Message, Run, Status

__all__ = ["InvokeDoor", "StreamDoor"]

TIMEOUTS = ("timeout", "first_event_timeout", "idle_timeout")


class StreamDoor(Door):
    """POST generate/stream: the run's events as they come. The run goes on when the client leaves."""

    scopes = {"POST": AccessToken.Scope.GENERATE}

    def post(self, request: Request) -> Any:
        body = parse_start(read_object(request._request))
        after = cursor_of(request)
        user = user_of(request)
        started = runs.start_run(user, body)
        return stream_response(request, reading.get_response(user, started.response_id), after)


class _Running(HttpResponse):
    """Not an answer yet: the run was started, and its end is to be waited for."""

    def __init__(self, response_id: str) -> None:
        super().__init__()
        self.response_id = response_id


class InvokeDoor(Door):
    """POST generate/invoke: starts the run and answers when it has ended.

    The door is passed twice, before and after the wait, in which no thread is held.
    """

    scopes = {"POST": AccessToken.Scope.GENERATE}

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        door = super().as_view(**initkwargs)

        async def view(request: HttpRequest) -> HttpResponse:
            begun = await sync_to_async(door)(request)
            if not isinstance(begun, _Running):
                return begun
            try:
                await runs.wait_for_end(begun.response_id)
            except Exception as error:  # noqa: BLE001 - a border: outside the door nobody makes JSON of it
                return await sync_to_async(answer_refusal)(error, request)
            return await sync_to_async(door)(request, ended=begun.response_id)

        return csrf_exempt(view)

    def post(self, request: Request, ended: str | None = None) -> HttpResponse:
        user = user_of(request)
        if ended is not None:
            return answer_of(reading.get_response(user, ended))
        return _Running(runs.start_run(user, parse_start(read_object(request._request))).response_id)


def answer_of(response: Message) -> HttpResponse:
    """200 with the message that was stored; for a failed run 502, for one that took too long 504."""
    headers = {"X-Response-Id": str(response.pk)}
    if response.status != Status.ERROR:
        return json_response(reading.represent_message(response), headers=headers)
    error_type = Run.objects.values_list("error_type", flat=True).get(pk=response.pk) or "handler_error"
    message = response.errors[-1]["message"] if response.errors else "The answer could not be made."
    body = {"code": error_type, "message": message, "response_id": str(response.pk)}
    return json_response(body, 504 if error_type in TIMEOUTS else 502, headers)
