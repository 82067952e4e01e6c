"""One-use tickets for websockets that can send neither our cookie nor a header.

A browser on another origin asks for one with its access token and opens `/ws/chat/?ticket=…` with it
within LIFETIME seconds. The cache holds its hash alone, with what its bearer was let in by: the
socket has that credential's rights, and ends with it.
"""

from __future__ import annotations

import hashlib
import secrets
from uuid import UUID

from django.core.cache import cache

from chats.credentials import Credential, SessionCredential, TokenCredential

__all__ = ["LIFETIME", "issue_ticket", "redeem_ticket"]

LIFETIME = 60  # seconds


def issue_ticket(credential: Credential) -> str:
    """A ticket that stands for `credential` once."""
    ticket = secrets.token_urlsafe(32)
    match credential:
        case SessionCredential(session_key):
            value = f"session:{session_key}"
        case TokenCredential(token_id):
            value = f"token:{token_id}"
        case _:
            raise TypeError(f"no ticket stands for {credential!r}")
    cache.set(_key(ticket), value, LIFETIME)
    return ticket


def redeem_ticket(ticket: str) -> Credential | None:
    """What the ticket stands for; None if it was never issued, is used up or too old.

    Whether the credential still holds is for the caller to ask: `find_user()`.
    """
    key = _key(ticket)
    value = cache.get(key)
    # Of two that come at once, one deletes it.
    if value is None or not cache.delete(key):
        return None
    kind, _, name = value.partition(":")
    return SessionCredential(name) if kind == "session" else TokenCredential(UUID(name))


def _key(ticket: str) -> str:
    digest = hashlib.sha256(ticket.encode("utf-8", "replace")).hexdigest()
    return f"socket-ticket:{digest}"
