"""What a request or connection was let in by, and whether that still holds.

A stream or socket outlives the request that opened it: whoever keeps one open asks `holds()` again
and again, so that a logout, a changed password, a deactivated user or a revoked token ends it.
Synchronous: call it from a thread. Knows no HTTP; api/authentication.py and consumers.py read headers.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone

from chats.engine import get_engine
from chats.models import AccessToken
from chats.protocol import DoorError

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["Credential", "SessionCredential", "TokenCredential", "find_token", "note_use"]

logger = logging.getLogger(__name__)

USE_NOTED_EVERY = timedelta(minutes=1)


class Credential(Protocol):
    """Why somebody may be here."""

    def find_user(self) -> User | None:
        """The user, if it still holds."""

    def holds(self) -> bool:
        """Whether it is still good."""


@dataclass(frozen=True, slots=True)
class SessionCredential:
    """A login. It ends with the session, and with the password that it was made with."""

    session_key: str

    def find_user(self) -> User | None:
        request = HttpRequest()
        request.session = _session(self.session_key)
        user: Any = get_user(request)
        return user if user.is_authenticated and user.is_active else None

    def holds(self) -> bool:
        return self.find_user() is not None


@dataclass(frozen=True, slots=True)
class TokenCredential:
    """An access token, until it is revoked or expires."""

    token_id: UUID

    def find_token(self) -> AccessToken | None:
        return AccessToken.objects.valid().filter(pk=self.token_id).select_related("user").first()

    def find_user(self) -> User | None:
        token = self.find_token()
        return None if token is None else token.user

    def holds(self) -> bool:
        return AccessToken.objects.valid().filter(pk=self.token_id).exists()


def _session(key: str) -> SessionBase:
    store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
    return store(session_key=key)


def find_token(authorization: str) -> AccessToken | None:
    """The valid token of an `Authorization: Bearer …` header, its user with it."""
    scheme, _, secret = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not secret:
        return None
    return AccessToken.objects.for_secret(secret.strip()).select_related("user").first()


def note_use(token: AccessToken) -> None:
    """Notes that the token was used just now, once a minute at most. Doesn't wait for the writer."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at >= USE_NOTED_EVERY:
        try:
            get_engine().write(_write_use, token.pk, now).add_done_callback(_noted)
        except DoorError:
            # Nothing is written while the server starts or stops; what the token is for may be reading.
            logger.info("The use of an access token wasn't noted: the server is starting or stopping.")


def _write_use(token_id: UUID, at: datetime) -> None:
    AccessToken.objects.filter(pk=token_id).update(last_used_at=at)


def _noted(writing: Future[Any]) -> None:
    error = None if writing.cancelled() else writing.exception()
    if error is not None:
        logger.warning("The use of an access token couldn't be noted.", exc_info=error)
