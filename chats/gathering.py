"""Deltas for a reader that draws them: several in one frame, where they come faster than one can see.

After each frame the next one waits GAP and takes with it what came meanwhile, adjacent deltas as one event; what comes
after a pause goes at once, and so does all but text, with the text before it. A page that gets 250 deltas a second
spends more on hearing them than on drawing them. Knows no sockets; lives on one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from chats.merging import merge_events
from chats.protocol import Batch

__all__ = ["Gatherer"]

GAP = 0.033  # seconds between frames of text: two of the display's
MOST_CHARACTERS = 16 * 1024  # of payload that wait
TEXT = frozenset({"content", "reasoning"})


class Gatherer:
    """Takes one response's batches in order, and puts what it makes of them."""

    def __init__(self, put: Callable[[Batch], None]) -> None:
        self._put = put
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Batch] = []
        self._timer: asyncio.TimerHandle | None = None
        self._put_at = 0.0  # the loop's time; text on the heels of something else is the first of its kind

    def take(self, batch: Batch) -> None:
        self._waiting.append(batch)
        wait = self._put_at + GAP - self._loop.time()
        if wait <= 0 or not _may_wait(batch) or sum(each.size for each in self._waiting) > MOST_CHARACTERS:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(wait, self.flush)

    def flush(self) -> None:
        """Puts what waits, if anything does."""
        waiting = self._waiting
        self.drop()
        if waiting:
            if _may_wait(waiting[-1]):
                self._put_at = self._loop.time()
            self._put(_joined(waiting))

    def drop(self) -> None:
        """Forgets what waits."""
        self._waiting = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _may_wait(batch: Batch) -> bool:
    return batch.status is None and all(event.type in TEXT for event in batch.events)


def _joined(batches: Sequence[Batch]) -> Batch:
    """Batches that follow one another, as one."""
    first, last = batches[0], batches[-1]
    if first is last:
        return first
    events = merge_events([event for batch in batches for event in batch.events])
    return Batch(first.response_id, first.after, last.through, events, first.timestamp, last.status)
