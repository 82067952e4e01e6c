"""How `serve` stops: nobody new, runs drained, sockets told to come back, answers finished, then the engine.

Owns the order and the patience. What draining means for runs is the engine's (`chats.engine`).
"""

import asyncio
import logging
import signal
from collections.abc import Awaitable
from typing import Any, Protocol

from workbench.server import CLOSE_RESTART, WorkbenchServer

CLOSING_TIME = 3.0  # seconds that clients have to take their last bytes and answer the close
POLL = 0.05  # seconds

logger = logging.getLogger(__name__)


class Drainable(Protocol):
    """What the stop asks of the engine."""

    async def drain(self, grace: float) -> None: ...

    def stop(self) -> None: ...


class GracefulStop:
    """Begun by the first signal; a second one cuts its waits short, a third one kills.

    `failed` tells afterwards whether anything in it raised (it is logged, and the server stops all the same).
    """

    def __init__(self, engine: Drainable, grace: float) -> None:
        self.engine = engine
        self.grace = grace
        self.failed = False
        self._hurry = asyncio.Event()
        self._stopping: asyncio.Task[None] | None = None

    def signalled(self, server: WorkbenchServer) -> None:
        """Called on the event loop for each signal."""
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._stop(server))
        elif not self._hurry.is_set():
            logger.warning("Second signal: stopping without waiting.")
            self._hurry.set()
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().remove_signal_handler(number)

    async def _stop(self, server: WorkbenchServer) -> None:
        logger.info("Stopping: runs have %g s to finish.", self.grace)
        await self._attempt(server.stop_accepting())
        await self._attempt(self._unless_hurried(self.engine.drain(self.grace)))
        server.close_sockets(CLOSE_RESTART)
        await self._attempt(self._unless_hurried(self._connections_end(server)))
        await self._attempt(asyncio.to_thread(self.engine.stop))
        server.stop()

    async def _attempt(self, step: Awaitable[Any]) -> None:
        """A border: a step that fails must not keep the next ones, and the process, from ending."""
        try:
            await step
        except Exception:
            self.failed = True
            logger.exception("A step of the stop failed.")

    async def _connections_end(self, server: WorkbenchServer) -> None:
        deadline = asyncio.get_running_loop().time() + CLOSING_TIME
        while server.open_connections() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(POLL)  # daphne tells nobody when a connection ends

    async def _unless_hurried(self, step: Awaitable[Any]) -> None:
        """Await the step, or leave it when a second signal comes. Its exception is raised here."""
        task = asyncio.ensure_future(step)
        hurried = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait({task, hurried}, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=1)
        elif not task.cancelled():
            task.result()
