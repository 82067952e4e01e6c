"""The websocket `/ws/chat/` (protocol §4): who may come in, and what each client frame does.

Owns the door: origin, login, the number of sockets, ownership of each response. A run never lives here:
a socket that closes stops nothing. Sending is connection.py's; following a log is following.py's.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Coroutine
from typing import Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.db import DatabaseError, InterfaceError
from django.utils.translation import gettext_noop as _
from django.utils.translation import override

from chats import admission, guard, refusals, runs
from chats.admission import Admission, Refused
from chats.connection import Connection
from chats.engine import get_engine
from chats.following import Follower
from chats.hub import Opening
from chats.limits import Place
from chats.metrics import SOCKETS_CLOSED
from chats.protocol import (
    PROTOCOL_VERSION,
    Cancel,
    ClosingCode,
    DoorError,
    Ping,
    Start,
    Subscribe,
    Unsubscribe,
    encode_frame,
    parse_client_frame,
    read_client_frame,
)
from handlers.encoding import clean_text

__all__ = ["ChatConsumer"]

logger = logging.getLogger(__name__)

MOST_FOLLOWED = 500
MOST_WAITING = 32


class ChatConsumer(AsyncConsumer):
    """One websocket of one user, serving any number of chats."""

    channel_layer_alias = None  # frames come from the hub, which listens once for the whole process
    connection: Connection | None = None
    _place: Place | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Lock()
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "websocket.connect":
                await self._connect()
            case "websocket.receive":
                await self._receive(message)
            case "websocket.disconnect":
                raise StopConsumer

    # Coming in

    async def _connect(self) -> None:
        await self.base_send({"type": "websocket.accept"})
        engine = get_engine()
        try:
            admitted, self._place = await engine.queries.run(admission.enter, self.scope)
            self._admit(admitted)
            hello = await engine.queries.run(admission.hello, admitted)
        except Refused as refused:
            SOCKETS_CLOSED.labels(str(refused.code)).inc()
            await self._close(refused.code)
            return
        except (DatabaseError, InterfaceError):
            logger.warning("A socket can't be admitted: the database is away.", exc_info=True)
            if self.connection is not None:
                self.connection.close(ClosingCode.RESTART)
            else:
                await self._close(ClosingCode.RESTART)
            return
        if self.connection is not None:
            self.connection.greet(encode_frame("hello", protocol=PROTOCOL_VERSION, **hello))

    def _admit(self, admitted: Admission) -> None:
        port = get_engine().hub.port()
        flow = self.scope.get("workbench.flow")
        connection = Connection(admitted, send=self._send, send_close=self._close, flow=flow)
        self.admitted, self.port, self.connection = admitted, port, connection
        port.add_sink(connection)
        guard.watch_over(port, connection)

    async def _send(self, text: str) -> None:
        await self.base_send({"type": "websocket.send", "text": text})

    async def _close(self, code: int) -> None:
        await self.base_send({"type": "websocket.close", "code": code})

    async def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._place is not None:
            self._place.release()
        if self.connection is not None:
            self.port.remove_sink(self.connection)
            guard.leave(self.port, self.connection)
            await self.connection.release()

    # Frames

    async def _receive(self, message: dict[str, Any]) -> None:
        if self.connection is None or self.connection.closing:
            return
        raw: dict[str, Any] = {}
        try:
            text = message.get("text")
            if text is None:
                raise DoorError("invalid_json", "Frames are JSON text; this one was binary.")
            raw = read_client_frame(text)
            await self._act_on(parse_client_frame(raw), raw)
        except Exception as error:  # noqa: BLE001 - the border: one frame's failure is that frame's
            self._report(error, raw)

    async def _act_on(self, frame: Any, raw: dict[str, Any]) -> None:
        match frame:
            case Start():
                self._spawn_start(frame, raw)
            case Subscribe():
                await self._subscribe(frame)
            case Unsubscribe():
                await self._unsubscribe(frame)
            case Cancel():
                self.admitted.require("generate")
                self._spawn(self._cancel(frame, raw))
            case Ping():
                self._reply("pong")

    def _reply(self, kind: str, **fields: Any) -> None:
        if self.connection is not None:
            self.connection.frame(encode_frame(kind, **fields))

    def _report(self, error: Exception, raw: dict[str, Any]) -> None:
        """The error frame; anything unforeseen is logged, and the client gets a reference to it."""
        with override(refusals.language_of(self.scope)):
            body = self._told(error)
        # As it was sent, but a lone surrogate in it can't go out again.
        named = {name: raw.get(name) for name in ("request_id", "response_id")}
        known = {name: clean_text(value) for name, value in named.items() if isinstance(value, str)}
        self._reply("error", **(known | body))

    def _told(self, error: Exception) -> dict[str, Any]:
        if isinstance(error, DoorError):
            return refusals.told(error)
        if isinstance(error, DatabaseError | InterfaceError):
            logger.warning("The database is away.", exc_info=error)
            return refusals.told(
                DoorError("unavailable", _("The database can't be reached; try again."), retry_after=2)
            )
        reference = str(uuid.uuid4())
        extra = {"correlation_id": reference}
        logger.error("A frame failed (reference %s).", reference, exc_info=error, extra=extra)
        return refusals.told_fault(reference)

    def _spawn_start(self, frame: Start, raw: dict[str, Any]) -> None:
        """Starts wait for the database one after the other; cancels and pings don't wait for them."""
        self.admitted.require("generate")
        self._spawn(self._start(frame, raw))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Has what waits for the database done beside the frames that follow."""
        if len(self._tasks) >= MOST_WAITING:
            work.close()
            words = _("Too much was sent at once: %(count)s frames are waiting.")
            raise DoorError("rate_limited", words, retry_after=1, values={"count": MOST_WAITING})
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _cancel(self, frame: Cancel, raw: dict[str, Any]) -> None:
        try:
            status = await runs.acancel_run(self.admitted.user, frame.response_id)
        except Exception as error:  # noqa: BLE001 - the border, as in _receive
            self._report(error, raw)
            return
        self._reply("cancelled", response_id=frame.response_id, status=status)

    async def _start(self, frame: Start, raw: dict[str, Any]) -> None:
        try:
            async with self._starting:
                started = await runs.astart_run(self.admitted.user, frame)
        except Exception as error:  # noqa: BLE001 - the border, as in _receive
            self._report(error, raw)
            return
        self._reply(
            "started",
            request_id=started.request_id,
            chat_id=started.chat_id,
            message_id=started.message_id,
            response_id=started.response_id,
            attached=started.attached,
        )
        self._follow(Subscribe(response_id=started.response_id, merge=frame.merge), started.opening)

    async def _subscribe(self, frame: Subscribe) -> None:
        self.admitted.require("read")
        await self._require_own(frame.response_id)
        if self.connection is not None and len(self.connection.followers) >= MOST_FOLLOWED:
            words = _("A connection follows %(count)s answers at most.")
            raise DoorError("rate_limited", words, retry_after=5, values={"count": MOST_FOLLOWED})
        self._follow(frame)

    async def _unsubscribe(self, frame: Unsubscribe) -> None:
        status = await self._require_own(frame.response_id)
        if self.connection is not None:
            self.connection.unfollow(frame.response_id.lower())
        self._reply("unsubscribed", response_id=frame.response_id, status=status)

    async def _require_own(self, response_id: str) -> str:
        """The status of a response that this user may read; DoorError not_found for any other."""
        return await get_engine().queries.run(admission.status_of, self.admitted.user, response_id)

    def _follow(self, frame: Subscribe, opening: Opening | None = None) -> None:
        engine, connection = get_engine(), self.connection
        if connection is None:
            return
        follower = Follower(
            frame.response_id.lower(), frame.after, connection, engine.hub, engine.queries, merge=frame.merge
        )
        connection.follow(follower, opening)
