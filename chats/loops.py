"""Event loops for handlers: one of its own for each run, and a shared one for cooperative handlers.

Owns threads and loops, nothing of runs. A loop that a handler blocked for good is abandoned: its
thread is left behind and counted, since Python can't end a thread. Loops are reused, so that clients
cached per loop stay useful.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any
from weakref import WeakKeyDictionary

from chats.logcontext import response_id_in
from handlers.clients import clients

__all__ = ["HandlerLoop", "LoopPool"]

logger = logging.getLogger(__name__)

MOST_IDLE = 32  # loops kept for the next runs
CANCELS = 5  # how often a stopped loop cancels what is left on it
CANCEL_PATIENCE = 0.1  # seconds for each

# What swallows every cancel: held, since collecting a suspended task would throw into it, in any thread.
_unending: list[set[asyncio.Task[Any]]] = []


class HandlerLoop:
    """A thread with an event loop that runs until it is stopped."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_task_factory(self._make_task)
        self._owners: WeakKeyDictionary[asyncio.Future[Any], str] = WeakKeyDictionary()
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.asked_at: float | None = None  # when the last unanswered sign of life was asked for (monotonic)
        self.users: set[object] = set()  # the pool's: whose work is on it
        self.thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self._survive(self.loop.run_forever)
        for _ in range(CANCELS):
            self._survive(self._cancel_what_is_left)
        left = asyncio.all_tasks(self.loop)
        if left:
            logger.warning("%s ends with %d tasks that can't be cancelled.", self.thread.name, len(left))
            _unending.append(left)
        else:
            self.loop.run_until_complete(clients.close_loop())
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def _survive(self, run: Callable[[], None]) -> None:
        """Runs the loop: a task that raises SystemExit throws it out of there, and its neighbours are to go on."""
        while True:
            try:
                return run()
            except (SystemExit, KeyboardInterrupt):
                logger.warning("A task on %s tried to exit the server.", self.thread.name, exc_info=True)

    def _cancel_what_is_left(self) -> None:
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.call_later(CANCEL_PATIENCE, self.loop.stop)
            self.loop.run_forever()

    def spawn(
        self, work: Coroutine[Any, Any, None], context: Context, started: Callable[[asyncio.Task[None]], None]
    ) -> None:
        """Runs `work` as one task on the loop; `started` gets the task there, before its first step."""

        def begin() -> None:
            started(self.loop.create_task(work, context=context))

        self.loop.call_soon_threadsafe(begin)

    def call(self, callback: Callable[..., object], *args: Any) -> None:
        """From any thread; nothing happens once the loop is closed."""
        try:
            self.loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            logger.debug("The loop of %s is closed.", self.thread.name)

    def ask_for_life(self) -> float:
        """Asks the loop for a sign of life; how many seconds the one before has been unanswered."""
        asked_at = self.asked_at
        if asked_at is not None:
            return time.monotonic() - asked_at
        self.asked_at = time.monotonic()
        self.call(self._answer)
        return 0.0

    def _answer(self) -> None:
        self.asked_at = None

    def _make_task(self, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Future[Any]:
        """asyncio's own task; noted is whose it is, also of those that a handler starts."""
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
        owner = response_id_in(options.get("context") or copy_context())
        if owner is not None:
            self._owners[task] = owner
        return task

    def owner_of(self, task: asyncio.Task[Any]) -> str | None:
        """The response that a task works for."""
        return self._owners.get(task)

    def current_task(self) -> asyncio.Task[Any] | None:
        """What the loop is in the middle of, if anything; may be asked from any thread."""
        return asyncio.current_task(self.loop)

    def stop(self, timeout: float = 1.0) -> bool:
        """Ends the thread; False if it didn't end in time."""
        self.call(self.loop.stop)
        self.thread.join(timeout)
        return not self.thread.is_alive()


class LoopPool:
    """Hands out loops. `abandoned` counts the threads that were left behind."""

    def __init__(self) -> None:
        self.abandoned = 0
        self._lock = threading.Lock()
        self._idle: list[HandlerLoop] = []
        self._shared: HandlerLoop | None = None
        self._retired: list[HandlerLoop] = []
        self._count = 0

    def shared(self, user: object) -> HandlerLoop:
        """The loop of all cooperative handlers, for one more `user`."""
        with self._lock:
            if self._shared is None:
                self._shared = HandlerLoop("handlers-shared")
            self._shared.users.add(user)
            return self._shared

    @property
    def shared_if_any(self) -> HandlerLoop | None:
        return self._shared

    def retire_shared(self, blocked: HandlerLoop) -> None:
        """From now on cooperative runs get a new loop; those on `blocked` stay there, and its last one ends it."""
        with self._lock:
            if self._shared is blocked:
                self._shared = None
                self._retired.append(blocked)

    def acquire(self, user: object) -> HandlerLoop:
        """A loop for `user` alone."""
        with self._lock:
            if self._idle:
                loop = self._idle.pop()
                loop.users.add(user)
                return loop
            self._count += 1
            name = f"handler-{self._count}"
        loop = HandlerLoop(name)
        loop.users.add(user)
        return loop

    def release(self, loop: HandlerLoop, user: object) -> None:
        """Says that nothing of `user` is left on a loop. One of its own is kept for the next, or ended."""
        with self._lock:
            if user not in loop.users:
                return  # abandoned meanwhile
            loop.users.discard(user)
            if loop is self._shared or loop.users:
                return
            if loop in self._retired:
                self._retired.remove(loop)
            elif len(self._idle) < MOST_IDLE:
                self._idle.append(loop)
                return
        loop.call(loop.loop.stop)

    def abandon(self, loop: HandlerLoop, user: object) -> None:
        """Says that `user` doesn't end. When its handler lets the loop go, the thread ends too."""
        with self._lock:
            if user not in loop.users:
                return  # it has ended after all, and the loop may be another's
            loop.users.discard(user)
            self.abandoned += 1
        loop.call(loop.loop.stop)

    def stop(self) -> None:
        with self._lock:
            loops = [*self._idle, *self._retired, *([self._shared] if self._shared else [])]
            self._idle, self._retired, self._shared = [], [], None
        for loop in loops:
            if not loop.stop():
                self.abandoned += 1
                logger.warning("The thread %s doesn't end; it is left behind.", loop.thread.name)
