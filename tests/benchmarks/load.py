"""What a measured stream is asked to say, as plain values shared by handlers, baseline apps and client.

Every delta of a stream has one fixed length and carries its own number, so that received text alone tells how
many deltas arrived, whether one was lost, doubled or reordered, and (when stamped) how long each was under way.
Pure but for `paced`, which is the one producer that all servers under test run.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from random import Random

NUMBER_DIGITS = 9
STAMP_DIGITS = 19
NANOSECONDS = 1_000_000_000


class DamagedTextError(Exception):
    """Received text isn't what was said: a delta is missing, doubled, out of order or cut."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """One stream's order, sent to the server as the text of the question.

    `deltas` is their number; `per_second` their pace (0: as fast as they go). `begin_ns` (CLOCK_MONOTONIC, which
    all processes of a machine share; 0: at once) lets many streams begin together however long starting them took.
    `stamped` puts the time of the yield on each delta. For the baseline servers only: `frame_bytes` is the size that
    a frame of one delta is padded to; `frames_per_turn` how many a stream sends before others have their turn (one,
    as deltas come from a model; more lets the transport join them into one write).
    """

    deltas: int
    per_second: float = 0.0
    begin_ns: int = 0
    stamped: bool = False
    frame_bytes: int = 0
    frames_per_turn: int = 1

    @property
    def delta_length(self) -> int:
        """Characters, and bytes, of one delta."""
        return NUMBER_DIGITS + 1 + (STAMP_DIGITS + 1 if self.stamped else 0)

    def as_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Load":
        return cls(**json.loads(text))


def delta_text(number: int, stamp_ns: int | None = None) -> str:
    """Delta `number`, with the nanosecond of its yield if stamped; its length depends on neither value."""
    if stamp_ns is None:
        return f"{number:0{NUMBER_DIGITS}d} "
    return f"{number:0{NUMBER_DIGITS}d} {stamp_ns:0{STAMP_DIGITS}d} "


async def paced(load: Load) -> AsyncIterator[str]:
    """The load's deltas, each due at a fixed time from the start, so that a late one isn't followed by a slow-down.

    A saturated load never suspends here: whoever forwards it decides when its loop breathes.
    """
    if load.begin_ns:
        await asyncio.sleep(max(0, load.begin_ns - time.monotonic_ns()) / NANOSECONDS)
    first_due = time.monotonic_ns()
    interval = NANOSECONDS / load.per_second if load.per_second else 0
    for number in range(load.deltas):
        if interval and (early := first_due + number * interval - time.monotonic_ns()) > 0:
            await asyncio.sleep(early / NANOSECONDS)
        yield delta_text(number, time.monotonic_ns() if load.stamped else None)


def spread(load: Load, streams: int, begin_ns: int) -> list[Load]:
    """The same load for many streams; paced ones begin at random (but repeatable) points of one interval."""
    phases = Random(streams)  # streams that tick together would measure the burst, not the server
    interval = NANOSECONDS / load.per_second if load.per_second else 0
    return [Load(**{**asdict(load), "begin_ns": begin_ns + int(phases.random() * interval)}) for _ in range(streams)]


def stamps_of(text: str, load: Load) -> list[int]:
    """Checks that `text` is the whole answer to `load`; gives the yields' nanoseconds (of a stamped load).

    Raises DamagedTextError that names the first place where it differs.
    """
    expected = load.deltas * load.delta_length
    if len(text) != expected:
        raise DamagedTextError(f"{len(text)} characters arrived where {expected} were said")
    return [_stamp_of(delta, number, load.stamped) for number, delta in enumerate(_split(text, load.delta_length))]


def arrivals_of(chunks: list[tuple[int, str]], delta_length: int) -> list[int]:
    """When each delta was whole, from (nanosecond, text) chunks in order of arrival; a chunk may end inside one."""
    arrivals: list[int] = []
    received = 0
    for arrived_ns, text in chunks:
        received += len(text)
        arrivals.extend([arrived_ns] * (received // delta_length - len(arrivals)))
    return arrivals


def _split(text: str, length: int) -> Iterator[str]:
    return (text[at : at + length] for at in range(0, len(text), length))


def _stamp_of(delta: str, number: int, stamped: bool) -> int:
    fields = delta.split(" ")
    try:
        found, stamp_ns = int(fields[0]), int(fields[1]) if stamped else 0
    except ValueError as reason:
        raise DamagedTextError(f"delta {number} arrived as {delta!r}") from reason
    if found != number:
        raise DamagedTextError(f"delta {found} arrived where delta {number} was due")
    return stamp_ns
