"""What one user may have and do: answers and connections at once, starts a minute, tokens a day, failed logins.

Counted once for websocket and HTTP, and for all processes. What the database knows is counted there (running
answers; the day's tokens, which the store only remembers); the rest in the store (limitstores.py). A store that is
away refuses nobody: that is logged and counted. WORKBENCH_RATE_LIMITS=off turns all of it off, 0 a single one.
Everything here may block: call it from a thread.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import math
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar
from uuid import UUID, uuid4

import redis
from django.conf import settings
from django.utils.translation import gettext_noop as _

from chats import metrics
from chats.limitstores import MemoryStore, RedisStore, Store
from chats.models import Run
from chats.protocol import DoorError
from chats.rows import unfinished_runs_of

__all__ = [
    "Place",
    "count_tokens",
    "forget_failed_logins",
    "give_back_start",
    "refresh_places",
    "require_room",
    "take_login_try",
    "take_place",
    "take_start",
    "take_upload",
    "tokens_are_limited",
]

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

MINUTE = 60.0  # seconds
UPLOADS_A_MINUTE = 120
LOGIN_WINDOW = 300.0  # seconds in which failed logins count
TOTAL_KEPT = 3600.0  # seconds after which the day's tokens are read from the database again
AWAY = 5.0  # seconds in which a store that didn't answer isn't asked again
ALIVE = 10.0  # seconds that a process's places count without a beat
REPUBLISH = 300.0  # seconds after which all places are noted again, in case the store forgot


@cache
def _store(url: str) -> Store:
    return RedisStore(url) if url else MemoryStore()


_away_until = float("-inf")


def _asked(ask: Callable[[Store], Result], otherwise: Result) -> Result:
    """What the store says; `otherwise` while it is away."""
    global _away_until  # noqa: PLW0603 - one store a process
    if time.monotonic() >= _away_until:
        try:
            return ask(_store(settings.REDIS_URL))
        except redis.RedisError as error:
            _away_until = time.monotonic() + AWAY
            logger.warning("Redis is away: limits that are counted there refuse nobody.", exc_info=error)
    metrics.LIMITS_SKIPPED.inc()
    return otherwise


def _limit(name: str) -> int:
    """A limit's setting; 0: none."""
    return int(getattr(settings, name)) if settings.WORKBENCH_RATE_LIMITS else 0


def _refusal(limit: str, message: str, retry_after: float, **values: object) -> DoorError:
    metrics.RATE_LIMITED.labels(limit).inc()
    return DoorError("rate_limited", message, retry_after=max(1, math.ceil(retry_after)), values=values)


# Starts


def require_room(user_id: UUID) -> None:
    """In the transaction of a start. Raises DoorError rate_limited when too many of the user's answers are running."""
    limit = _limit("WORKBENCH_MAX_RUNS_PER_USER")
    if limit and unfinished_runs_of(user_id) >= limit:
        message = _("You have %(count)s answers running. Wait for one to end, or stop one.")
        raise _refusal("runs", message, 5, count=limit)


def take_start(user_id: UUID) -> None:
    """Counts one start. Raises DoorError rate_limited when it's too many a minute, or the day's tokens are used up."""
    most, limit = _limit("WORKBENCH_MAX_TOKENS_PER_DAY"), _limit("WORKBENCH_MAX_STARTS_PER_MINUTE")
    nothing: tuple[float | None, int | None] = (None, None)
    wait, used = _asked(lambda store: _take_from(store, user_id, most, limit), nothing)
    if most and (_tokens_in_log_today(user_id) if used is None else used) >= most:
        if wait is None:
            give_back_start(user_id)
        message = _("Today's %(count)s tokens are used up. There are new ones at 00:00 UTC.")
        seconds = (_day() + timedelta(days=1) - datetime.now(UTC)).total_seconds()
        raise _refusal("tokens", message, seconds, count=f"{most:,}")
    if wait is not None:
        message = _("That's more than %(count)s questions a minute. Wait a moment.")
        raise _refusal("starts", message, wait, count=limit)


def _take_from(store: Store, user_id: UUID, most: int, limit: int) -> tuple[float | None, int | None]:
    """One round trip: how long to wait, and the day's tokens where they are known."""
    key, key_of_day = f"starts:{user_id}", _key_of_day(user_id)
    if limit and most:
        return store.take_and_total(key, limit, MINUTE, key_of_day)
    if limit:
        return store.take(key, limit, MINUTE), None
    return None, store.total(key_of_day) if most else None


def give_back_start(user_id: UUID) -> None:
    """Of a start that was counted, and then refused, or found to be a repetition."""
    if _limit("WORKBENCH_MAX_STARTS_PER_MINUTE"):
        _asked(lambda store: store.give_back(f"starts:{user_id}"), None)


def take_upload(user_id: UUID) -> None:
    """Counts one file that is sent. Raises DoorError rate_limited when it's too many a minute."""
    if not settings.WORKBENCH_RATE_LIMITS:
        return
    wait = _asked(lambda store: store.take(f"uploads:{user_id}", UPLOADS_A_MINUTE, MINUTE), None)
    if wait is not None:
        message = _("That's more than %(count)s files a minute. Wait a moment.")
        raise _refusal("uploads", message, wait, count=UPLOADS_A_MINUTE)


# Tokens


def tokens_are_limited() -> bool:
    return _limit("WORKBENCH_MAX_TOKENS_PER_DAY") > 0


def count_tokens(user_id: UUID, tokens: int) -> None:
    """Adds what an answer used to the day's sum, after its end is committed."""
    _asked(lambda store: store.add(_key_of_day(user_id), tokens), None)


def _tokens_in_log_today(user_id: UUID) -> int:
    """As the store then knows it."""
    used = _tokens_in_log(user_id)
    _asked(lambda store: store.begin_total(_key_of_day(user_id), used, TOTAL_KEPT), None)
    return used


def _tokens_in_log(user_id: UUID) -> int:
    ended = Run.objects.filter(user_id=user_id, created_at__gte=_day() - timedelta(days=1), finished_at__gte=_day())
    return sum(tokens_of(usage) for usage in ended.values_list("response__usage", flat=True))


def tokens_of(usage: dict[str, Any]) -> int:
    return int(usage.get("total_tokens") or 0)


def _day() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _key_of_day(user_id: UUID) -> str:
    return f"tokens:{_day():%Y-%m-%d}:{user_id}"


# Connections


class Place:
    """One open socket or event stream of a user. `release` gives it up, and so does its being forgotten."""

    def __init__(self, places: _Places, user_id: UUID) -> None:
        self.release = weakref.finalize(self, places.leave, user_id)
        self.release.atexit = False


class _Places:
    """The places taken in this process, noted in the store for the others."""

    def __init__(self) -> None:
        self._holder = str(uuid4())
        self._lock = threading.Lock()
        self._counts: Counter[UUID] = Counter()
        # By finalizers, which may run anywhere, in the middle of `take` too: so without a lock.
        self._left: deque[UUID] = deque()
        self._changed: set[UUID] = set()
        self._refreshed_at = self._published_at = float("-inf")

    def take(self, user_id: UUID, limit: int) -> Place | None:
        """None where the user has `limit` already."""
        here = self._add(user_id)
        place = Place(self, user_id)
        noted = _asked(lambda store: store.note_places(self._holder, {f"places:{user_id}": here}), None)
        if noted is None:
            with self._lock:
                self._changed.add(user_id)  # the others hear of it later
        if limit and here + (noted or [0])[0] > limit:
            place.release()
            return None
        return place

    def leave(self, user_id: UUID) -> None:
        self._left.append(user_id)

    def _add(self, user_id: UUID) -> int:
        with self._lock:
            self._settle()
            self._counts[user_id] += 1
            return self._counts[user_id]

    def _settle(self) -> None:
        while self._left:
            user_id = self._left.popleft()
            self._changed.add(user_id)
            self._counts[user_id] -= 1
            if self._counts[user_id] <= 0:
                del self._counts[user_id]

    def refresh(self) -> None:
        """Tells the others that this process is alive, and what has been given up here."""
        now = time.monotonic()
        with self._lock:
            self._settle()
            was_silent = now - self._refreshed_at > ALIVE  # the others have dropped what was noted
            self._refreshed_at = now
            if was_silent or now - self._published_at > REPUBLISH:
                self._published_at = now
                self._changed.update(self._counts)
            changed, self._changed = self._changed, set()
            counts = {f"places:{user_id}": self._counts[user_id] for user_id in changed}
        _asked(lambda store: store.stay_alive(self._holder, ALIVE), None)
        if counts and _asked(lambda store: store.note_places(self._holder, counts), None) is None:
            with self._lock:
                self._changed |= changed

    def total(self) -> int:
        with self._lock:
            self._settle()
            return self._counts.total()


_places = _Places()


def take_place(user_id: UUID) -> Place:
    """A place for one more connection. Raises DoorError rate_limited when the user has as many as he may have."""
    limit = _limit("WORKBENCH_MAX_SOCKETS_PER_USER")
    place = _places.take(user_id, limit)
    if place is None:
        message = _("You have %(count)s connections open. Close a tab or a stream.")
        raise _refusal("sockets", message, 5, count=limit)
    return place


def refresh_places() -> None:
    """With each beat, where other processes may ask."""
    if settings.REDIS_URL:
        _places.refresh()


def places_taken() -> int:
    """Sockets and event streams of this process."""
    return _places.total()


# Logins


def take_login_try(username: str, address: str) -> float | None:
    """Counts one try, as if it failed; or says for how many seconds nobody may try this name from there."""
    limit = _limit("WORKBENCH_MAX_FAILED_LOGINS")
    if not limit:
        return None
    wait = _asked(lambda store: store.take(_key_of_login(username, address), limit, LOGIN_WINDOW), None)
    if wait is not None:
        metrics.RATE_LIMITED.labels("logins").inc()
    return wait


def forget_failed_logins(username: str, address: str) -> None:
    """After a login that succeeded."""
    if _limit("WORKBENCH_MAX_FAILED_LOGINS"):
        _asked(lambda store: store.clear(_key_of_login(username, address)), None)


def _key_of_login(username: str, address: str) -> str:
    """Hashed: names that people typed, perhaps into the wrong field, are nobody's to read in Redis."""
    return "login:" + hashlib.sha256(f"{username.casefold()}\n{_network(address)}".encode()).hexdigest()


def _network(address: str) -> str:
    """An address, of IPv6 the network that one customer gets."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
