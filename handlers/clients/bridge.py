"""From a thread that blocks to a coroutine that awaits: values in order, one wake-up for all that wait."""

import asyncio
import threading
from collections import deque
from typing import Generic, TypeVar

Value = TypeVar("Value")

CAPACITY = 256  # values that wait before the thread does


class Silence(Exception):
    """Nothing came for as long as was waited."""


class Bridge(Generic[Value]):
    """One thread puts, one coroutine takes, on the loop where the bridge was made."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._values: deque[Value] = deque()
        self._arrived = asyncio.Event()
        self._room = threading.Event()
        self._room.set()
        self._woken = self._ended = self._abandoned = False
        self._error: BaseException | None = None

    # --- in the thread

    def put(self, value: Value) -> None:
        """Hand over a value; waits while the other side is behind."""
        self._room.wait()
        self._values.append(value)
        if len(self._values) >= CAPACITY:
            self._room.clear()  # should all be taken this very moment, the wake-up opens it again
        if self._abandoned:  # looked at last: it may have come just now, and nobody else opens it then
            self._room.set()
        self._wake()

    def end(self, error: BaseException | None = None) -> None:
        """Nothing follows; `error` is raised when all before it has been taken."""
        self._error = error
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._woken:
            return
        self._woken = True
        try:
            self._loop.call_soon_threadsafe(self._arrive)
        except RuntimeError:
            self.abandon()  # the loop is closed: nobody takes any more

    # --- on the loop

    def _arrive(self) -> None:
        self._woken = False
        self._arrived.set()

    async def take(self, patience: float) -> list[Value] | None:
        """All that has come, at least one value; None at the end. Raises Silence after `patience` seconds."""
        while True:
            if values := self._taken():
                return values
            if self._ended and not self._values:
                if self._error is not None:
                    raise self._error
                return None
            self._arrived.clear()
            try:
                async with asyncio.timeout(patience):
                    await self._arrived.wait()
            except TimeoutError:
                raise Silence from None

    def _taken(self) -> list[Value]:
        values = []
        while self._values:
            values.append(self._values.popleft())
        self._room.set()
        return values

    def abandon(self) -> None:
        """Nothing is taken any more: a thread that waits for room goes on."""
        self._abandoned = True
        self._room.set()
