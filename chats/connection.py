"""One websocket's outbox and what it follows.

Owns the order and the bound of what goes out. A follower's live batches and the user's notices are put
here without waiting; one task sends them while the transport has room. A reader that falls behind gets
the rest from the log once it has caught up (`lagging`); one that takes nothing for PATIENCE seconds, or
for whom even notices pile up, is closed with 4408. Knows no Channels and asks no database.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from chats.admission import Admission
from chats.flow import Flow, has_room
from chats.following import Follower
from chats.hub import Opening
from chats.metrics import SOCKETS_CLOSED
from chats.protocol import Batch, ClosingCode

__all__ = ["Connection"]

logger = logging.getLogger(__name__)

LAG_CHARACTERS = 512 * 1024  # queued, beyond which live batches wait in the log instead
PAGE_CHARACTERS = 256 * 1024  # queued, beyond which no further page of the log is read
MAX_CHARACTERS = 4 * 1024 * 1024  # queued, beyond which the reader is given up
PATIENCE = 10.0  # seconds that the transport may stay full


class Connection:
    """See the module. An Outlet to its followers, a UserSink to the hub."""

    def __init__(
        self,
        admission: Admission,
        *,
        send: Callable[[str], Awaitable[None]],
        send_close: Callable[[int], Awaitable[None]],
        flow: Flow | None,
    ) -> None:
        self.admission = admission
        self.user_id = admission.user.pk
        self.followers: dict[str, Follower] = {}
        self._send = send
        self._send_close = send_close
        self._flow = flow
        self._frames: deque[str] = deque()
        self._characters = 0
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self.turn = asyncio.Lock()
        self._greeted = False
        # Notices that came before the greeting, which is the first frame; of very many the oldest go.
        self._early: deque[str] = deque(maxlen=1000)
        self._closing: int | None = None
        self._sender = asyncio.get_running_loop().create_task(self._send_all())

    # What goes out

    def frame(self, text: str) -> None:
        """Queues a frame."""
        if self._closing is not None:
            return
        if self._characters > MAX_CHARACTERS:
            self.close(ClosingCode.TOO_SLOW)
            return
        self._frames.append(text)
        self._characters += len(text)
        if not self._ready.is_set():
            self._ready.set()

    def notice(self, frame: str) -> None:
        """The hub's: news of the user's chats, for whoever may read them."""
        if not self.admission.allows("read"):
            return
        if self._greeted:
            self.frame(frame)
        else:
            self._early.append(frame)

    def greet(self, frame: str) -> None:
        """Queues the first frame, and then what came before it."""
        self._greeted = True
        for each in [frame, *self._early]:
            self.frame(each)
        self._early.clear()

    def put(self, batch: Batch) -> None:
        self.frame(batch.frame)

    @property
    def lagging(self) -> bool:
        return self._characters > LAG_CHARACTERS

    async def room(self) -> None:
        while self._characters > PAGE_CHARACTERS:
            self._room.clear()
            await self._room.wait()

    # What it follows

    def follow(self, follower: Follower, opening: Opening | None = None) -> None:
        """Follows a response; one that was followed already is followed from the new cursor."""
        self.unfollow(follower.response_id)
        self.followers[follower.response_id] = follower
        follower.begin(opening)

    def unfollow(self, response_id: str) -> None:
        follower = self.followers.pop(response_id, None)
        if follower is not None:
            follower.stop()

    def ended(self, follower: Follower) -> None:
        if self.followers.get(follower.response_id) is follower:
            del self.followers[follower.response_id]

    # The end

    @property
    def closing(self) -> bool:
        return self._closing is not None

    def close(self, code: int) -> None:
        """Closes the socket after the frame that is being sent; what is queued is dropped."""
        if self._closing is None:
            self._closing = code
            SOCKETS_CLOSED.labels(str(code)).inc()
            self._frames.clear()
            self._ready.set()

    async def release(self) -> None:
        """After the socket has gone: stops everything that belongs to it."""
        for response_id in list(self.followers):
            self.unfollow(response_id)
        self._sender.cancel()
        await asyncio.wait({self._sender})
        if not self._sender.cancelled() and self._sender.exception() is not None:
            logger.debug("The socket was gone before its last frame was sent.", exc_info=self._sender.exception())

    # The sender

    async def _send_all(self) -> None:
        while self._closing is None:
            await self._ready.wait()
            self._ready.clear()
            while self._frames and self._closing is None:
                if self._flow is not None and not await has_room(self._flow, PATIENCE):
                    self.close(ClosingCode.TOO_SLOW)
                if self.closing:
                    break  # while it waited for room: what was queued is gone
                text = self._frames.popleft()
                self._characters -= len(text)
                await self._send(text)
                if not self._room.is_set():
                    self._room.set()
        await self._send_close(self._closing)
