"""The server behind `manage.py serve`: daphne with this product's close codes, limits and view of back-pressure.

Owns the connections' transport. Knows nothing of chats: an application sees the additions as
`scope["workbench.flow"]` (a `Flow`) and as close codes that arrive. How it stops stands in `workbench.shutdown`.

Note [daphne and autobahn]: what is changed, and why.
- autobahn's `sendClose` refuses every code but 1000 and 3000-4999, so 1012 (restart) goes by `sendCloseFrame`.
- A message over daphne's 1 MiB dropped the connection before the application saw it; up to 4 MiB it can answer
  `too_large`. Above that the client gets 1009, and what still arrives is thrown away unread.
- The close handshake may take 10 s instead of 1: a client that reads slowly has its close code behind megabytes.
- daphne's `send` never waits: a client that doesn't read filled 400 MB in a second. twisted tells a producer when
  the transport's buffer is full (64 KiB) and when it's empty again; `Flow` passes that on.
- What a client sends was queued without bound when the application is slower; now the transport isn't read meanwhile.
- Each frame cost two system calls to hear from the reactor that the socket is writable, and a log record that nobody
  keeps: together half of what a frame of one delta costs. It is sent at once instead, where nothing waits before it.
- A socket may stay open for longer than daphne's one day.
- Every second, and every two, daphne looks at all connections in one go: five thousand idle ones held up every answer
  of the process meanwhile. They are looked at a few a turn, and so are their pings spread; an application that ends is
  dealt with at once.
- Of a proxy's X-Forwarded-For daphne believes the first address, which is the client's own word (proxies.py).
- The body of a request was written to a file whole, however large. `Request` bounds it.
"""

import asyncio
import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import unquote

import daphne.server
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import interfaces, reactor
from twisted.internet.defer import maybeDeferred
from twisted.logger import STDLibLogObserver, globalLogBeginner
from zope.interface import implementer

from workbench.bodies import BODY_LIMIT, kept_bytes
from workbench.proxies import client_behind

SERVER_NAME = "chat-workbench"
MESSAGE_LIMIT = 4 << 20  # bytes in one websocket message or frame
INBOX_LIMIT = 2 * MESSAGE_LIMIT  # bytes that wait for the application; reading stops above, and goes on below a half
CLOSE_HANDSHAKE_TIMEOUT = 10  # seconds
ACCEPT_TIMEOUT = 20  # seconds an application may take to accept a socket
MESSAGE_WEIGHT = 500  # bytes that a message's dictionary takes
PING_INTERVAL, PING_TIMEOUT = 20, 30  # seconds
BODY_CHUNK = 64 << 10  # bytes of an HTTP body handed on at once
CLOSE_RESTART = 1012
CHECK_EVERY = 2.0  # seconds in which each connection is looked at once
CHECKED_AT_ONCE = 50  # connections; less than a millisecond

logger = logging.getLogger(__name__)
access_log = logging.getLogger("workbench.access")


@implementer(interfaces.IPushProducer)
class Flow:
    """Whether a connection's client keeps up. `open` is set while the transport's buffer has room; who has much to
    send waits for it. `abort` drops the connection at once, with what is still in the buffer.

    The three methods in twisted's case are called by the transport, on the event loop.
    """

    def __init__(self, abort: Callable[[], None]) -> None:
        self.abort = abort
        self.open = asyncio.Event()
        self.open.set()

    def pauseProducing(self) -> None:  # noqa: N802
        self.open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self.open.set()

    def stopProducing(self) -> None:  # noqa: N802
        self.open.set()  # the connection is gone: who waits shall find out


class Inbox(asyncio.Queue[dict[str, Any]]):
    """What a client has sent over a websocket and the application hasn't taken yet."""

    def __init__(self, transport: Any) -> None:
        super().__init__()
        self.transport = transport
        self.held = 0  # bytes, or characters of text
        self.paused = False

    def _put(self, item: dict[str, Any]) -> None:
        super()._put(item)
        self.held += size_of(item)
        if self.held > INBOX_LIMIT and not self.paused:
            self.paused = True
            self.transport.pauseProducing()

    def _get(self) -> dict[str, Any]:
        item = super()._get()
        self.held -= size_of(item)
        if self.paused and self.held <= INBOX_LIMIT // 2:
            self.paused = False
            self.transport.resumeProducing()
        return item


def size_of(message: dict[str, Any]) -> int:
    """What a message of the ASGI protocol weighs in an Inbox; a small one isn't free either."""
    return MESSAGE_WEIGHT + len(message.get("text") or message.get("bytes") or b"")


class SocketProtocol(WebSocketProtocol):
    """One websocket connection."""

    flow: Flow

    def onConnect(self, request: Any) -> Any:  # noqa: N802
        self.flow = Flow(self.transport.abortConnection)
        return super().onConnect(request)

    def onOpen(self) -> None:  # noqa: N802
        # The HTTP request that this socket began as is still registered: it would stop reading whenever the client
        # doesn't read, and a cancel would not arrive.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.flow, True)
        super().onOpen()

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: N802
        """Send a frame's bytes: at once, where the transport has nothing left to send before them."""
        if sync or chopsize or self.send_queue or self.state != self.STATE_OPEN:
            super().sendData(data, sync, chopsize)
            return
        self.trafficStats.outgoingOctetsWireLevel += len(data)
        if self._is_drained():
            sent = self.transport.writeSomeData(data)
            if isinstance(sent, int):  # else the connection is lost, as `write` will find too
                data = data[sent:]
        if data:
            self.transport.write(data)

    def _is_drained(self) -> bool:
        transport = self.transport  # twisted has no public question for this
        return bool(transport.connected) and not (
            transport.dataBuffer or transport._tempDataBuffer or transport.disconnecting
        )

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802
        self.sendCloseFrame(code=1000 if code is None else code)


class SocketFactory(WebSocketFactory):
    protocol = SocketProtocol


class Request(WebRequest):
    """One HTTP request and its response.

    twisted writes a whole body to a file before the application hears of it. Of what the API refuses anyhow only as
    much is kept as it takes to refuse it; the rest is read and forgotten, so that the client gets its answer.
    """

    received = 0  # bytes of the body

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        super().gotLength(length)
        path: bytes = self.channel._path  # the request itself learns its path after its body
        self.kept_bytes = kept_bytes(unquote(path.decode("latin-1")), length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        kept = data[: max(0, self.kept_bytes - self.received)]
        self.received += len(data)
        if self.received > BODY_LIMIT:
            self.channel.forceAbortClient()
        elif kept:
            super().handleContentChunk(kept)

    def begin_flow(self) -> Flow:
        """The response's Flow; a streamed response (SSE) has the same need of it as a socket."""
        flow = Flow(self.channel.forceAbortClient)
        self.registerProducer(flow, True)
        return flow

    def finish(self) -> None:
        if self.producer is not None and self.channel is not None:
            self.unregisterProducer()
        super().finish()


class RequestFactory(HTTPFactory):
    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol


class WorkbenchServer(daphne.server.Server):
    """Serves an ASGI application on a socket that already listens, until `stop` is called.

    `on_ready` is called on the event loop once it serves, `on_signal` at each SIGTERM or SIGINT.
    """

    def __init__(
        self,
        application: Callable[..., Any],
        listening: socket.socket,
        *,
        on_ready: Callable[[], None],
        on_signal: Callable[["WorkbenchServer"], None],
        trust_proxy: bool = False,
    ) -> None:
        super().__init__(
            application,
            endpoints=["adopted in run"],
            action_logger=log_access,
            request_buffer_size=BODY_CHUNK,
            websocket_timeout=-1,
            websocket_connect_timeout=ACCEPT_TIMEOUT,
            websocket_handshake_timeout=ACCEPT_TIMEOUT,
            ping_interval=PING_INTERVAL,
            ping_timeout=PING_TIMEOUT,
            server_name=SERVER_NAME,
        )
        self.trust_proxy = trust_proxy
        self.listening = listening
        self.on_ready = on_ready
        self.on_signal = on_signal
        self.connections: dict[Any, dict[str, Any]] = {}
        self.port: Any = None
        self.unchecked: Iterator[Any] = iter(())  # what is left of this round of check_connections
        self.check_pause = CHECK_EVERY

    def run(self) -> None:
        """Block until stopped. Once in a process: twisted's reactor can't be started again."""
        self.http_factory = RequestFactory(self)
        self.ws_factory = SocketFactory(self, server=self.server_name)
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,  # whose origin is welcome is the application's decision
            openHandshakeTimeout=self.websocket_handshake_timeout,
            closeHandshakeTimeout=CLOSE_HANDSHAKE_TIMEOUT,
            maxMessagePayloadSize=MESSAGE_LIMIT,
            maxFramePayloadSize=MESSAGE_LIMIT,
            failByDrop=False,  # say why before closing
        )
        globalLogBeginner.beginLoggingTo([STDLibLogObserver()], redirectStandardIO=False)
        loop = daphne.server.twisted_loop
        asyncio.set_event_loop(loop)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.on_signal, self)
        self.port = reactor.adoptStreamPort(self.listening.fileno(), self.listening.family, self.http_factory)
        self.listening.close()  # the reactor has a copy
        reactor.callWhenRunning(self.on_ready)
        reactor.callLater(CHECK_EVERY, self.check_connections)
        reactor.addSystemEventTrigger("before", "shutdown", self.kill_all_applications)
        reactor.run(installSignalHandlers=False)

    async def stop_accepting(self) -> None:
        """Refuse new connections from now on; those that are open go on."""
        await maybeDeferred(self.port.stopListening).asFuture(asyncio.get_running_loop())

    def close_sockets(self, code: int) -> None:
        """Close every websocket that is open with this code."""
        for protocol in list(self.connections):
            if isinstance(protocol, SocketProtocol) and protocol.state == protocol.STATE_OPEN:
                protocol.serverClose(code)

    def open_connections(self) -> int:
        """How many websockets are connected and HTTP requests not yet answered in full."""
        return sum("disconnected" not in details for details in self.connections.values())

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> asyncio.Queue[dict[str, Any]] | None:
        """daphne's own, with the connection's Flow and Inbox. Returns the queue that the application receives from."""
        if protocol not in self.connections:
            return None  # gone already
        if self.trust_proxy and (address := client_behind(scope["headers"])):
            scope["client"] = protocol.client_addr = [address, 0]
        inbox: asyncio.Queue[dict[str, Any]]
        if isinstance(protocol, SocketProtocol):
            flow, inbox = protocol.flow, Inbox(protocol.transport)
        else:
            flow, inbox = protocol.begin_flow(), asyncio.Queue()
        scope = scope | {"asgi": {"version": "3.0"}, "workbench.flow": flow}
        send = partial(self.handle_reply, protocol)
        application = asyncio.ensure_future(self.application(scope=scope, receive=inbox.get, send=send))
        self.connections[protocol]["application_instance"] = application
        application.add_done_callback(partial(self._ended, protocol))
        return inbox

    def check_connections(self) -> None:
        """daphne's two checks, of time-outs (with pings) and of what has ended; a few connections a turn."""
        some = list(islice(self.unchecked, CHECKED_AT_ONCE))
        if not some:
            self.unchecked = iter(list(self.connections))
            self.check_pause = CHECK_EVERY * CHECKED_AT_ONCE / max(CHECKED_AT_ONCE, len(self.connections))
            some = list(islice(self.unchecked, CHECKED_AT_ONCE))
        try:
            for protocol in some:
                if protocol in self.connections:
                    protocol.check_timeouts()
                    self._let_go(protocol)
        finally:
            reactor.callLater(self.check_pause, self.check_connections)

    def _let_go(self, protocol: Any) -> None:
        """Forgets a connection that is gone with its application, and cancels one that outlives it, by daphne's rules.

        Not as soon as it's gone: daphne may hear of that twice.
        """
        details = self.connections[protocol]
        if (gone_at := details.get("disconnected")) is None:
            return
        application = details.get("application_instance")
        if application is None:
            del self.connections[protocol]
        elif time.time() - gone_at > self.application_close_timeout:
            logger.warning("An application outlived its connection by too long and is cancelled: %r", application)
            application.cancel()

    def _ended(self, protocol: Any, application: asyncio.Future[Any]) -> None:
        """Takes note of an application's end, and tells its client if it failed."""
        details = self.connections.get(protocol)
        if details is not None:
            details.pop("application_instance", None)
        if not application.cancelled() and (error := application.exception()) is not None:
            logger.error("Exception inside application: %s", error, exc_info=error)
            if details is not None and "disconnected" not in details:
                protocol.handle_exception(error)

    def kill_all_applications(self) -> Any:
        """daphne's own, which fails on a connection whose application has ended before it."""
        unfinished = {p: d for p, d in self.connections.items() if "application_instance" in d}
        self.connections = unfinished
        return super().kill_all_applications()


def log_access(protocol: str, action: str, details: dict[str, Any]) -> None:
    """One line per HTTP response and per socket's begin and end, without the query: it can hold a ticket."""
    path = str(details["path"]).partition("?")[0]
    client = details["client"]
    if protocol == "http":
        access_log.info("%s %s %s", details["method"], path, details["status"], extra={"client": client})
    elif action != "connecting":
        access_log.info("socket %s %s", path, action, extra={"client": client})
