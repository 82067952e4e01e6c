"""One response's way into the log: what its run has yielded and the writer hasn't taken yet.

Owns the bound per run, the merging of adjacent deltas before they are numbered, and the numbers.
The producer's side (append, close) may be called from any thread; the writer's side (take, and all
that is numbered) from the journal's thread only. Knows no database.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chats.metrics import EVENTS_MERGED
from chats.transcript import Transcript
from handlers.encoding import canonical_json

__all__ = ["MAX_TEXT_BYTES", "End", "Pending", "RunLog", "byte_length", "release_producers"]

logger = logging.getLogger(__name__)

MAX_TEXT_BYTES = 64 * 1024  # of one content event
MAX_PENDING_EVENTS = 512
EAGER_ROWS = 300  # a response's first rows are committed as soon as the writer is free
LONGEST_WINDOW = 0.060  # seconds that text may wait for more of its kind, after those
WINDOW_PER_ROW = 0.003

TEXT_FIELD = {"content": "content", "reasoning": "text"}


@dataclass(slots=True)
class End:
    """How a run ended: the last event of its response. `notes` go to the audit."""

    status: str
    error_type: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def fields(self) -> dict[str, Any]:
        return {"status": self.status, "usage": self.usage, "error_type": self.error_type}


@dataclass(slots=True)
class Pending:
    """A yielded event that waits to be numbered. `chunks` are the deltas of a text that may still grow."""

    type: str
    fields: dict[str, Any]
    emit: bool
    persist: bool
    at: float  # seconds since the epoch
    chunks: list[str] | None = None
    size: int = 0
    details: str | None = None
    payload: str | None = None  # its fields as JSON; of a text not before it is settled

    def settled(self) -> dict[str, Any]:
        """Its fields, with the text in one piece and the payload made."""
        if self.chunks is not None:
            self.fields[TEXT_FIELD[self.type]] = self.chunks[0] if len(self.chunks) == 1 else "".join(self.chunks)
            self.chunks = None
        if self.payload is None:
            self.payload = canonical_json(self.fields)
        return self.fields


def byte_length(text: str) -> int:
    """In UTF-8. `isascii` looks at a flag of the string, so the usual case costs nothing."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


class RunLog:
    """See the module. `on_dirty(log)` is called when there is something to take after there was nothing."""

    def __init__(
        self,
        response_id: str,
        on_dirty: Callable[[RunLog], None],
        *,
        next_sequence: int = 0,
        transcript: Transcript | None = None,
    ) -> None:
        self.response_id = response_id
        self.end: End | None = None
        self.began_at: float | None = None  # time.monotonic() of the first event that isn't its end
        self._on_dirty = on_dirty
        self._lock = threading.Lock()
        self._pending: list[Pending] = []
        self._bytes = 0
        self._urgent = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        # The writer's own:
        self.next_sequence = next_sequence
        self.transcript = transcript or Transcript()
        self.taken_at = 0.0  # time.monotonic() of the last take

    # The producer's side

    @property
    def closed(self) -> bool:
        """Whether the end is in: nothing more is accepted."""
        return self.end is not None

    @property
    def full(self) -> bool:
        return self._bytes >= MAX_TEXT_BYTES or len(self._pending) >= MAX_PENDING_EVENTS

    def append_text(self, kind: str, text: str, *, emit: bool, persist: bool) -> bool:
        """Adds a delta of at most MAX_TEXT_BYTES to the text before it, where that is of the same class."""
        size = byte_length(text)
        with self._lock:
            if self.end is not None:
                return False
            last = self._pending[-1] if self._pending else None
            if (
                last is not None
                and last.chunks is not None
                and last.type == kind
                and last.emit is emit
                and last.persist is persist
                and last.size + size <= MAX_TEXT_BYTES
            ):
                last.chunks.append(text)
                last.size += size
                self._bytes += size
                return True
            fields = {"content": text} if kind == "content" else {"text": text, "signature": None, "redacted": None}
            self._add(Pending(kind, fields, emit, persist, time.time(), [text], size), urgent=False)
            first = len(self._pending) == 1
        if first:
            self._on_dirty(self)
        return True

    def append(self, event: Pending) -> bool:
        """Adds an event that stands alone; what waits before it goes with it."""
        with self._lock:
            if self.end is not None:
                return False
            self._add(event, urgent=True)
        self._on_dirty(self)
        return True

    def close(self, end: End, last_words: Pending | None = None) -> bool:
        """Adds the end, before it `last_words` if any. False if there was one already: the first stands."""
        with self._lock:
            if self.end is not None:
                return False
            began_at = self.began_at
            if last_words is not None:
                self._add(last_words, urgent=True)
            self._add(Pending("response_end", end.fields, True, True, time.time()), urgent=True)
            self.began_at = began_at
            self.end = end
        self._on_dirty(self)
        return True

    def abandon(self) -> None:
        """Closes it without an end: somebody else has written that, or will."""
        with self._lock:
            self._pending.clear()
            self._bytes = 0
            self.end = self.end or End("error", "worker_lost")

    def _add(self, event: Pending, *, urgent: bool) -> None:
        if self.began_at is None:
            self.began_at = time.monotonic()
        self._pending.append(event)
        self._bytes += event.size
        self._urgent = self._urgent or urgent

    async def wait_for_room(self) -> None:
        """Returns when the writer has taken what was there."""
        loop = asyncio.get_running_loop()
        while self.full and not self.closed:
            future: asyncio.Future[None] = loop.create_future()
            with self._lock:
                if not self._pending:
                    return
                self._waiting.append((loop, future))
            await future

    # The writer's side

    def due_at(self) -> float:
        """When the writer should take it, by time.monotonic(); 0.0 for at once."""
        if self._urgent or self.full or self.next_sequence < EAGER_ROWS:
            return 0.0
        window = min(LONGEST_WINDOW, (self.next_sequence - EAGER_ROWS) * WINDOW_PER_ROW)
        return self.taken_at + window

    def take(self) -> list[Pending]:
        """All that waits, in order. Producers that wait for room must be released after."""
        with self._lock:
            taken, self._pending = self._pending, []
            self._bytes = 0
            self._urgent = False
        self.taken_at = time.monotonic()
        merged = sum(len(event.chunks) - 1 for event in taken if event.chunks is not None)
        if merged:
            EVENTS_MERGED.inc(merged)
        return taken

    def waiting(self) -> list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]]:
        """The producers that wait for room, handed over."""
        if not self._waiting:
            return []
        with self._lock:
            waiting, self._waiting = self._waiting, []
        return waiting


def release_producers(logs: list[RunLog]) -> None:
    """Lets the producers that waited for room go on: one call a loop, however many wait on it."""
    by_loop: dict[Any, list[Any]] = {}
    for log in logs:
        for loop, future in log.waiting():
            by_loop.setdefault(loop, []).append(future)
    for loop, futures in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, futures)
        except RuntimeError:
            logger.debug("A loop whose producer waited for room is closed.")


def _settle(futures: list[Any]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
