"""A small ASGI application on the real server, for tests of the server alone. Run as a module, it prints its address.

Its engine is a stand-in with the two calls that a stop makes, so that tests can see when and how they are made.
"""

import asyncio

from workbench.management.commands.serve import address_of, exit_for_good, listen
from workbench.server import WorkbenchServer
from workbench.shutdown import GracefulStop

PIECE = "x" * 250_000


async def application(scope, receive, send):
    if scope["type"] == "http":
        return await DOORS_HTTP[scope["path"]](scope, receive, send)
    await receive()
    await send({"type": "websocket.accept"})
    return await DOORS_SOCKET[scope["path"]](scope, receive, send)


async def close(scope, receive, send):
    await send({"type": "websocket.close", "code": int(scope["query_string"])})


async def measure(scope, receive, send):
    """Answers each message with its length in bytes."""
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": str(len(message["text"].encode()))})


async def slow(scope, receive, send):
    """Takes no message for a second, tells how many wait for it by then, then takes sixty-four."""
    await asyncio.sleep(1)
    waiting = receive.__self__.qsize()
    for _ in range(64):
        await receive()
    await send({"type": "websocket.send", "text": str(waiting)})


async def flood(scope, receive, send):
    """Sends until the client falls behind, then says how much it took on standard output, and closes with 4408."""
    sent = 0
    flow = scope["workbench.flow"]
    while flow.open.is_set():
        await send({"type": "websocket.send", "text": PIECE})
        sent += len(PIECE)
        await asyncio.sleep(0)
    print(f"paused after {sent}", flush=True)
    await send({"type": "websocket.send", "text": "last"})
    await send({"type": "websocket.close", "code": 4408})


async def paced(scope, receive, send):
    """Sends ten megabytes, waiting for the client whenever it falls behind."""
    for _ in range(40):
        await scope["workbench.flow"].open.wait()
        await send({"type": "websocket.send", "text": PIECE})
    await send({"type": "websocket.close", "code": 1000})


async def abort(scope, receive, send):
    """Drops the connection at the first message."""
    await receive()
    scope["workbench.flow"].abort()


async def fail(scope, receive, send):
    """Raises before it answers."""
    raise RuntimeError("it was bound to fail")


async def hello(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def stream(scope, receive, send):
    """A response that ends when the engine has been drained, like an answer's event stream."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun ", "more_body": True})
    await drained.wait()
    await send({"type": "http.response.body", "body": b"ended"})


async def download(scope, receive, send):
    """A streamed response that stops making more when the client falls behind."""
    sent = 0
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while scope["workbench.flow"].open.is_set():
        await send({"type": "http.response.body", "body": PIECE.encode(), "more_body": True})
        sent += len(PIECE)
        await asyncio.sleep(0)
    print(f"paused after {sent}", flush=True)
    await scope["workbench.flow"].open.wait()
    await send({"type": "http.response.body", "body": b"last"})


DOORS_SOCKET = {
    "/close": close,
    "/measure": measure,
    "/slow": slow,
    "/flood": flood,
    "/paced": paced,
    "/abort": abort,
    "/fail": fail,
}
DOORS_HTTP = {"/hello": hello, "/stream": stream, "/download": download, "/fail": fail}


class StandInEngine:
    def __init__(self, broken: bool) -> None:
        self.broken = broken

    async def drain(self, grace: float) -> None:
        print(f"draining {grace:g}", flush=True)
        if self.broken:
            raise OSError("the disk is gone")
        await asyncio.sleep(grace)
        drained.set()

    def stop(self) -> None:
        print("engine stopped", flush=True)


if __name__ == "__main__":
    import logging
    import sys

    logging.basicConfig(level=logging.WARNING)
    drained = asyncio.Event()
    listening = listen("127.0.0.1", 0)
    stop = GracefulStop(StandInEngine(broken="broken" in sys.argv), grace=float(sys.argv[1]))
    address = address_of(listening)
    WorkbenchServer(
        application,
        listening,
        on_ready=lambda: print(f"Listening at {address}", flush=True),
        on_signal=stop.signalled,
    ).run()
    exit_for_good(1 if stop.failed else 0)
