"""What the HTTP doors share: rights by method, headers, and the way from a thread to the event loop.

Who is asking, and how refusals look, is set for all views by settings.REST_FRAMEWORK.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.views import APIView

from chats.api.errors import answer_refusal, json_response
from chats.flow import Flow
from chats.models import AccessToken
from chats.protocol import DoorError

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["Continued", "Door", "LoopDoor", "NoDoor", "flow_of", "user_of", "wants_stream"]


VARY = ("Accept", "Authorization")


class Door(APIView):
    """Base of the doors. `scopes`: method → scope, where it isn't read for GET and write for the rest."""

    scopes: ClassVar[dict[str, str]] = {}
    metadata_class = None
    http_method_names = ("get", "post", "put", "patch", "delete", "head")

    def scope_of(self, method: str | None) -> str:
        usual = AccessToken.Scope.READ if method in ("GET", "HEAD") else AccessToken.Scope.WRITE
        return self.scopes.get(method or "", usual)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(answer, VARY)
        return answer


class Continued(HttpResponse):
    """Not an answer yet: `go_on`, called on the event loop, gives it."""

    def __init__(self, go_on: Callable[[], Awaitable[HttpResponseBase]]) -> None:
        super().__init__()
        self.go_on = go_on


class LoopDoor(Door):
    """A door whose answer is made on the event loop, where it may wait.

    Who is asking and for what is settled in a thread, as for every door; a Continued then says how it goes on.
    """

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        door = super().as_view(**initkwargs)

        def enter(request: HttpRequest, **parameters: str) -> HttpResponseBase:
            try:
                return door(request, **parameters)
            finally:
                # The thread is kept until the response has ended; its database connection needn't be.
                if not connection.in_atomic_block:
                    close_old_connections()

        async def view(request: HttpRequest, **parameters: str) -> HttpResponseBase:
            entered = await sync_to_async(enter)(request, **parameters)
            if not isinstance(entered, Continued):
                return entered
            try:
                answer = await entered.go_on()
            except Exception as error:  # noqa: BLE001 - a border: outside the door nobody makes JSON of it
                answer = await sync_to_async(answer_refusal)(error, request)
            patch_vary_headers(answer, VARY)
            return answer

        # What the framework marks its views with: exempt from Django's CSRF check, made of this class.
        view.__dict__.update(door.__dict__)
        return view


class NoDoor(Door):
    """Everything under /api/v1/ that isn't there; for everybody the same."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        hint = _neighbour_of(request.path)
        advice = f" Did you mean {hint}?" if hint else ""
        return json_response(DoorError("not_found", f"There is nothing at {request.path}.{advice}").body(), 404)


def _neighbour_of(path: str) -> str | None:
    """The same address with or without its last slash, if there is a door."""
    other = path[:-1] if path.endswith("/") else path + "/"
    try:
        found = resolve(other)
    except Resolver404:
        return None
    return None if getattr(found.func, "cls", None) is NoDoor else other


def user_of(request: Request) -> User:
    """The user of an authenticated request, typed as ours."""
    user: Any = request.user
    return user


def flow_of(request: Request) -> Flow | None:
    """What the server tells of the request's connection."""
    scope: dict[str, Any] = getattr(request._request, "scope", {})
    return scope.get("workbench.flow")


def wants_stream(request: Request) -> bool:
    """Whether the client asks for server-sent events."""
    return request.method == "GET" and "text/event-stream" in request.headers.get("Accept", "").lower()
