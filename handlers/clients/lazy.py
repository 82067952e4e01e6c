"""Wrappers of blocking SDK clients, which take a noticeable part of a second to import and make.

Owns when the SDK's client is made and closed, and the threads in which its calls may be made.
"""

import asyncio
import contextvars
import functools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


class LazySyncClient(ABC):
    """Makes an SDK's own client at its first use, once. After `close` it may be used, and is made, again."""

    #: The most calls at the same time; more wait their turn.
    threads = 32

    def __init__(self) -> None:
        self._client: Any = None
        self._pool: ThreadPoolExecutor | None = None
        self._making = threading.Lock()
        self._lock = threading.Lock()

    async def get_sync_client(self) -> Any:
        """The SDK's own client, shared by all threads. Its calls block: a cooperative handler mustn't make them."""
        return self._client or await self.run(self.get_now)

    def get_now(self) -> Any:
        """The same, from a thread that may block."""
        with self._making:
            self._client = self._client or self._make()
            return self._client

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """One call of the SDK's client in a thread: `await client.call("get_item", TableName="notes", Key=…)`.

        Raises what the SDK raises. A cancel ends the waiting, not the call: a thread can't be interrupted.
        """
        client = await self.get_sync_client()
        return await self.run(getattr(client, method), *args, **kwargs)

    async def run(self, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Any blocking function in one of this client's threads, for what takes more than one call."""
        context = contextvars.copy_context()
        work = functools.partial(context.run, function, *args, **kwargs)
        return await asyncio.wrap_future(self.pool.submit(work))

    @property
    def pool(self) -> ThreadPoolExecutor:
        """This client's own threads: asyncio's default pool has 6 on a machine of two cores."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix=type(self).__name__)
            return self._pool

    def close(self) -> None:
        """Close the connections and let the threads end. Calls in progress end as their SDK has it."""
        with self._lock:
            client, self._client = self._client, None
            pool, self._pool = self._pool, None
        if client is not None:
            client.close()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    @abstractmethod
    def check_health(self) -> None:
        """Whether the service answers; blocks for seconds at most. Raises ClientUnavailable with the reason."""

    @abstractmethod
    def _make(self) -> Any:
        """Import the SDK and make its client."""
