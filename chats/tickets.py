"""One-use tickets for websockets that can send neither our cookie nor a header.

A browser on another origin asks for one with its access token and opens `/ws/chat/?ticket=…` with it
within LIFETIME seconds. The cache holds its hash alone, with what its bearer was let in by: the
socket has that credential's rights, and ends with it.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import redis
from django.core.cache import cache

from chats.credentials import Credential, SessionCredential, TokenCredential
from chats.protocol import DoorError

__all__ = ["LIFETIME", "issue_ticket", "redeem_ticket"]

logger = logging.getLogger(__name__)

LIFETIME = 60  # seconds
PAUSE = 5  # seconds after which a client may try again when the cache is away


def issue_ticket(credential: Credential) -> str:
    """A ticket that stands for `credential` once. Raises DoorError unavailable when it can't be kept."""
    ticket = secrets.token_urlsafe(32)
    match credential:
        case SessionCredential(session_key):
            value = f"session:{session_key}"
        case TokenCredential(token_id):
            value = f"token:{token_id}"
        case _:
            raise TypeError(f"no ticket stands for {credential!r}")
    with _cache_faults():
        cache.set(_key(ticket), value, LIFETIME)
    return ticket


def redeem_ticket(ticket: str) -> Credential | None:
    """What the ticket stands for; None if it was never issued, is used up or too old.

    Whether the credential still holds is for the caller to ask: `find_user()`. Raises DoorError unavailable when it
    can't be looked for.
    """
    key = _key(ticket)
    with _cache_faults():
        value = cache.get(key)
        # Of two that come at once, one deletes it.
        if value is None or not cache.delete(key):
            return None
    kind, _, name = value.partition(":")
    return SessionCredential(name) if kind == "session" else TokenCredential(UUID(name))


@contextmanager
def _cache_faults() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        logger.warning("Redis is away: no socket can be opened with a ticket.", exc_info=error)
        raise DoorError("unavailable", "Tickets can't be had now. Try again shortly.", retry_after=PAUSE) from error


def _key(ticket: str) -> str:
    digest = hashlib.sha256(ticket.encode("utf-8", "replace")).hexdigest()
    return f"socket-ticket:{digest}"
