"""Who is asking: an access token's bearer or a session's user; and whether a token's scopes allow it.

Named by settings.REST_FRAMEWORK, so the defaults of every view; imports nothing of rest_framework.views.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import authentication, exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from chats.credentials import Credential, SessionCredential, TokenCredential, find_token, note_use
from chats.models import AccessToken
from chats.protocol import DoorError

if TYPE_CHECKING:
    from rest_framework.views import APIView

    from workbench.models import User

__all__ = ["BearerAuthentication", "HasScope", "SessionAuthentication", "credential_of"]


class BearerAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <token>`. Stands first, so an anonymous request gets 401 and its challenge."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        header = request.headers.get("Authorization", "")
        if header.strip().partition(" ")[0].lower() != "bearer":
            return None
        token = find_token(header)
        if token is None:
            raise exceptions.AuthenticationFailed("This access token isn't valid: unknown, revoked or expired.")
        note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SessionAuthentication(authentication.SessionAuthentication):
    """The site's login, with the CSRF check on Django's own request: it leaves a JSON body unread."""

    def enforce_csrf(self, request: Request) -> None:
        site_request: Any = request._request
        super().enforce_csrf(site_request)


class HasScope(BasePermission):
    """An access token opens the doors that its scopes name; a session opens all."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        scope: Any = getattr(view, "scope_of", lambda method: AccessToken.Scope.WRITE)(request.method)
        if isinstance(request.auth, AccessToken) and not request.auth.allows(scope):
            raise DoorError("forbidden", f"This access token lacks the scope “{scope}”.")
        return True


def credential_of(request: Request) -> Credential:
    """What an authenticated request was let in by."""
    if isinstance(request.auth, AccessToken):
        return TokenCredential(request.auth.pk)
    return SessionCredential(request._request.session.session_key or "")
