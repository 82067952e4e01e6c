"""The watch over open sockets: whoever was logged out, deactivated or had a token revoked is closed with 4401.

One task per event loop looks at each of its sockets every few seconds, with a handful of queries for many; so it holds
in every process, whichever of them took the logout.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from math import ceil
from typing import Protocol, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from chats.admission import Admission
from chats.credentials import SessionCredential, TokenCredential
from chats.engine import get_engine
from chats.hub import Port
from chats.models import AccessToken
from chats.protocol import ClosingCode

__all__ = ["Guarded", "lapsed_among", "leave", "watch_over"]

logger = logging.getLogger(__name__)
Value = TypeVar("Value")

LOOK_EVERY = 2.5  # seconds in which each is looked at once: a logout is to take effect within 5
AT_ONCE = 200  # sockets
CHUNK = 500  # values in one IN list


class Guarded(Protocol):
    """A socket under watch."""

    admission: Admission

    def close(self, code: int) -> None:
        """Closes it."""


# Of each loop, whoever has waited longest for a look first.
_watched: WeakKeyDictionary[Port, dict[Guarded, None]] = WeakKeyDictionary()


def watch_over(port: Port, socket: Guarded) -> None:
    """Takes a socket of this port's loop under watch."""
    if port not in _watched:
        _watched[port] = {}
        port.spawn(_watch(port))
    _watched[port][socket] = None


def leave(port: Port, socket: Guarded) -> None:
    """Lets a socket go."""
    _watched.get(port, {}).pop(socket, None)


async def _watch(port: Port) -> None:
    """Closes the sockets whose right has lapsed, until there are none.

    A few at a time: to look at thousands at once would take the interpreter from every answer for some 10 ms.
    """
    due = time.monotonic()
    while watched := _watched[port]:
        turns = ceil(len(watched) / AT_ONCE)
        due = max(due + LOOK_EVERY / turns, time.monotonic())  # what a look takes isn't added to the pause
        await asyncio.sleep(due - time.monotonic())
        some = list(islice(watched, ceil(len(watched) / turns)))
        for each in some:
            watched[each] = watched.pop(each)
        await _close_lapsed(some)
    del _watched[port]


async def _close_lapsed(some: Sequence[Guarded]) -> None:
    try:
        lapsed = await get_engine().queries.run(lapsed_among, {each.admission for each in some})
    except (DatabaseError, InterfaceError):
        logger.warning("The sockets' logins can't be looked up now.", exc_info=True)
        return
    except Exception:
        # The border: a watch that ended would leave every later logout without effect.
        logger.exception("Looking up the sockets' logins failed.")
        return
    for each in some:
        if each.admission in lapsed:
            each.close(ClosingCode.UNAUTHORIZED)


def lapsed_among(admissions: set[Admission]) -> set[Admission]:
    """Those that don't hold any more. Blocks on the database."""
    active = get_user_model().objects.filter(is_active=True)
    passwords = {
        pk: password
        for chunk in _chunks({each.user.pk for each in admissions})
        for pk, password in active.filter(pk__in=chunk).values_list("pk", "password")
    }
    tokens = {each.credential.token_id for each in admissions if isinstance(each.credential, TokenCredential)}
    keys = {each.credential.session_key for each in admissions if isinstance(each.credential, SessionCredential)}
    standing = _valid_tokens(tokens) | _open_sessions(keys)
    return {each for each in admissions if not _still_holds(each, passwords, standing)}


def _still_holds(admission: Admission, passwords: Mapping[UUID, str], standing: Collection[object]) -> bool:
    user, credential = admission.user, admission.credential
    if user.pk not in passwords:
        return False
    if isinstance(credential, TokenCredential):
        return credential.token_id in standing
    if not isinstance(credential, SessionCredential) or credential.session_key not in standing:
        return False
    # A new password ends the sessions made with the old one, but for the one that changed it.
    return passwords[user.pk] == user.password or credential.holds()


def _valid_tokens(token_ids: Iterable[UUID]) -> set[object]:
    valid = AccessToken.objects.valid()
    return {pk for chunk in _chunks(token_ids) for pk in valid.filter(pk__in=chunk).values_list("pk", flat=True)}


def _open_sessions(keys: Iterable[str]) -> set[object]:
    # settings.SESSION_ENGINE keeps sessions in this table: a process's own cache couldn't tell of a logout elsewhere.
    unexpired = Session.objects.filter(expire_date__gt=timezone.now())
    return {pk for chunk in _chunks(keys) for pk in unexpired.filter(pk__in=chunk).values_list("pk", flat=True)}


def _chunks(values: Iterable[Value]) -> Iterable[list[Value]]:
    ordered = list(values)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))
