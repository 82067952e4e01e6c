"""Wrappers of blocking SDK clients, which take a noticeable part of a second to import and make."""

import asyncio
import threading
from abc import ABC, abstractmethod
from typing import Any


class LazySyncClient(ABC):
    """Makes an SDK's own client at its first use, once."""

    def __init__(self) -> None:
        self._client: Any = None
        self._lock = threading.Lock()

    async def get_sync_client(self) -> Any:
        """The SDK's own client, shared by all threads. Its calls block: a cooperative handler mustn't make them."""
        return self._client or await asyncio.to_thread(self._made_once)

    def _made_once(self) -> Any:
        with self._lock:
            self._client = self._client or self._make()
            return self._client

    @abstractmethod
    def _make(self) -> Any:
        """Import the SDK and make its client."""
