"""Clients that belong to one event loop: each handler's loop has its own."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

Client = TypeVar("Client")


class PerLoop(Generic[Client]):
    """Makes a client at its first use on a loop, and closes it on that loop."""

    def __init__(self, make: Callable[[], Client], close: Callable[[Client], Awaitable[object]]) -> None:
        self._make = make
        self._close = close
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Client] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def get(self) -> Client:
        """The running loop's client."""
        loop = asyncio.get_running_loop()
        with self._lock:
            client = self._clients.get(loop)
            if client is None:
                self._drop_those_of_closed_loops()
                client = self._clients[loop] = self._make()
            return client

    async def close(self) -> None:
        """Close the running loop's client, if it has one."""
        with self._lock:
            client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await self._close(client)

    def _drop_those_of_closed_loops(self) -> None:
        """A client refers to its loop, so that no entry would ever go by itself."""
        for loop in [loop for loop in self._clients if loop.is_closed()]:
            del self._clients[loop]
