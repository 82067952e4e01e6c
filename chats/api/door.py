"""What every HTTP door shares: JSON whatever `Accept` says, rights by method, headers.

Who is asking, and how refusals look, is set for all views by settings.REST_FRAMEWORK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.views import APIView

from chats.api.errors import json_response
from chats.models import AccessToken
from chats.protocol import DoorError

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["Door", "NoDoor", "user_of", "wants_stream"]


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
        patch_vary_headers(answer, ["Accept", "Authorization"])
        return answer


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


def wants_stream(request: Request) -> bool:
    """Whether the client asks for server-sent events."""
    return request.method == "GET" and "text/event-stream" in request.headers.get("Accept", "").lower()
