"""Where limits are counted: in Redis for all processes, or in this one's memory where there is no Redis.

Both do the same, and each call is atomic. Rates are counted by the sliding-window counter: of the window before, the
part that still reaches into the last `window` seconds is taken as evenly spread. It needs two numbers for each key,
however high the limit, and lets no burst of twice the limit through where two windows meet.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

__all__ = ["MemoryStore", "RedisStore", "Store", "wait_for_room"]

PREFIX = "workbench:limits:"
PATIENCE = 0.5  # seconds that Redis may take to answer
PLACES_KEPT = 900  # seconds without news of a user's places
PRUNE_ABOVE = 10_000  # keys in memory


class Store(Protocol):
    """See the module. A store that can't be reached raises redis.RedisError. Times are seconds."""

    shared: bool  # by several processes

    def take(self, key: str, limit: int, window: float) -> float | None:
        """Counts one; or, where that would be more than `limit` in `window`, counts none and says how long to wait."""

    def take_and_total(self, key: str, limit: int, window: float, total_key: str) -> tuple[float | None, int | None]:
        """What `take` and `total` say, asked at once."""

    def give_back(self, key: str) -> None:
        """Takes one off that was counted and hasn't happened."""

    def clear(self, key: str) -> None:
        """Forgets what was counted."""

    def total(self, key: str) -> int | None:
        """A sum; None where nobody has begun it."""

    def begin_total(self, key: str, amount: int, seconds: float) -> None:
        """Begins a sum, unless somebody has just done so. It is forgotten after `seconds`."""

    def add(self, key: str, amount: int) -> None:
        """Adds to a sum that was begun."""

    def note_places(self, holder: str, counts: Mapping[str, int]) -> list[int]:
        """Notes how many places a process (`holder`) has taken under each key; gives how many the others that are
        alive have there."""

    def stay_alive(self, holder: str, seconds: float) -> None:
        """Has the places of a process count for so long."""


def wait_for_room(current: int, before: int, passed: float, limit: int, window: float) -> float:
    """How long until one more fits: `current` were counted in this window, of which the part `passed` is over, and
    `before` in the one before."""
    if current + 1 <= limit:
        return (1 - (limit - current - 1) / before - passed) * window
    return (1 - passed + 1 - (limit - 1) / current) * window


@dataclass(slots=True)
class _Window:
    slot: int = -1
    current: int = 0
    before: int = 0
    used_at: float = 0.0
    length: float = 0.0


class MemoryStore:
    """For one process."""

    shared = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}
        self._totals: dict[str, tuple[int, float]] = {}  # with the time of their end

    def take(self, key: str, limit: int, window: float) -> float | None:
        now = time.monotonic()
        slot, passed = int(now // window), now / window % 1
        with self._lock:
            self._prune(now)
            seen = self._windows.setdefault(key, _Window())
            if seen.slot != slot:
                seen.before = seen.current if seen.slot == slot - 1 else 0
                seen.slot, seen.current = slot, 0
            seen.used_at, seen.length = now, window
            if seen.before * (1 - passed) + seen.current + 1 > limit:
                return wait_for_room(seen.current, seen.before, passed, limit, window)
            seen.current += 1
        return None

    def take_and_total(self, key: str, limit: int, window: float, total_key: str) -> tuple[float | None, int | None]:
        return self.take(key, limit, window), self.total(total_key)

    def _prune(self, now: float) -> None:
        if len(self._windows) > PRUNE_ABOVE:
            self._windows = {key: seen for key, seen in self._windows.items() if now - seen.used_at < 2 * seen.length}
        if len(self._totals) > PRUNE_ABOVE:
            self._totals = {key: total for key, total in self._totals.items() if total[1] > now}

    def give_back(self, key: str) -> None:
        with self._lock:
            seen = self._windows.get(key)
            if seen is not None and seen.current > 0:
                seen.current -= 1

    def clear(self, key: str) -> None:
        with self._lock:
            self._windows.pop(key, None)

    def total(self, key: str) -> int | None:
        with self._lock:
            amount, until = self._totals.get(key, (0, 0.0))
        return amount if until > time.monotonic() else None

    def begin_total(self, key: str, amount: int, seconds: float) -> None:
        now = time.monotonic()
        with self._lock:
            if self._totals.get(key, (0, 0.0))[1] <= now:
                self._totals[key] = (amount, now + seconds)

    def add(self, key: str, amount: int) -> None:
        with self._lock:
            if key in self._totals:
                before, until = self._totals[key]
                self._totals[key] = (before + amount, until)

    def note_places(self, holder: str, counts: Mapping[str, int]) -> list[int]:
        return [0] * len(counts)  # there is nobody else

    def stay_alive(self, holder: str, seconds: float) -> None:
        """Nobody else asks."""


TAKE = """
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local slot = math.floor(now / window)
local passed = now / window - slot
local total = KEYS[2] and redis.call('GET', KEYS[2]) or ''
local seen = redis.call('HMGET', KEYS[1], 'slot', 'current', 'before')
local last, current, before = tonumber(seen[1] or -1), tonumber(seen[2] or 0), tonumber(seen[3] or 0)
if last ~= slot then
  before = last == slot - 1 and current or 0
  current = 0
end
if before * (1 - passed) + current + 1 > limit then
  return {total, current, before, tostring(passed)}
end
redis.call('HSET', KEYS[1], 'slot', slot, 'current', current + 1, 'before', before)
redis.call('PEXPIRE', KEYS[1], math.ceil(window * 2000))
return {total}
"""
GIVE_BACK = """
if tonumber(redis.call('HGET', KEYS[1], 'current') or 0) > 0 then redis.call('HINCRBY', KEYS[1], 'current', -1) end
"""
ADD = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('INCRBY', KEYS[1], ARGV[1]) end
"""
PLACES = """
local holder, own, alive, kept = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local noted, others = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #noted, 2 do
  if noted[i] ~= holder then
    if redis.call('EXISTS', alive .. noted[i]) == 1 then
      others = others + tonumber(noted[i + 1])
    else
      redis.call('HDEL', KEYS[1], noted[i])
    end
  end
end
if own > 0 then redis.call('HSET', KEYS[1], holder, own) else redis.call('HDEL', KEYS[1], holder) end
redis.call('EXPIRE', KEYS[1], kept)
return others
"""


class RedisStore:
    """For all processes that share a Redis; its clock is theirs."""

    shared = True

    def __init__(self, url: str) -> None:
        once_more = Retry(NoBackoff(), 1)  # a connection that has idled may be closed; more would be waiting
        self._redis: Any = redis.Redis.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=once_more
        )
        self._take, self._give_back, self._add, self._places = (
            self._redis.register_script(text) for text in (TAKE, GIVE_BACK, ADD, PLACES)
        )

    def take(self, key: str, limit: int, window: float) -> float | None:
        return self._taken([key], limit, window)[0]

    def take_and_total(self, key: str, limit: int, window: float, total_key: str) -> tuple[float | None, int | None]:
        return self._taken([key, total_key], limit, window)

    def _taken(self, keys: Sequence[str], limit: int, window: float) -> tuple[float | None, int | None]:
        total, *refused = self._take(keys=[PREFIX + key for key in keys], args=[limit, window])
        wait = None
        if refused:
            current, before, passed = refused
            wait = wait_for_room(int(current), int(before), float(passed), limit, window)
        return wait, int(total) if total else None

    def give_back(self, key: str) -> None:
        self._give_back(keys=[PREFIX + key])

    def clear(self, key: str) -> None:
        self._redis.delete(PREFIX + key)

    def total(self, key: str) -> int | None:
        found = self._redis.get(PREFIX + key)
        return None if found is None else int(found)

    def begin_total(self, key: str, amount: int, seconds: float) -> None:
        self._redis.set(PREFIX + key, amount, nx=True, px=round(seconds * 1000))

    def add(self, key: str, amount: int) -> None:
        self._add(keys=[PREFIX + key], args=[amount])

    def note_places(self, holder: str, counts: Mapping[str, int]) -> list[int]:
        with self._redis.pipeline(transaction=False) as pipeline:
            for key, own in counts.items():
                self._places(keys=[PREFIX + key], args=[holder, own, f"{PREFIX}alive:", PLACES_KEPT], client=pipeline)
            return [int(others) for others in pipeline.execute()]

    def stay_alive(self, holder: str, seconds: float) -> None:
        self._redis.set(f"{PREFIX}alive:{holder}", 1, px=round(seconds * 1000))
