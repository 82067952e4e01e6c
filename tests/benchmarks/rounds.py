"""One round of load against one server: the same streams, begun together, received whole, with both sides' effort.

How the server is spoken with is a Dialect: the product's own unless said otherwise.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property

from tests.benchmarks.client import Streaming, connections, run_streams
from tests.benchmarks.frames import Answer, Stream, read_stream
from tests.benchmarks.load import NANOSECONDS, Load, spread
from tests.benchmarks.servers import Server

COOPERATIVE = "benchmark-cooperative"
OWN_LOOP = "benchmark-own-loop"
IN_ROWS = "benchmark-rows"
LEAD_SECONDS, LEAD_PER_STREAM = 1.0, 0.020  # so that every stream is started before the first delta is due
TIMEOUT = 180.0


@dataclass(frozen=True)
class Dialect:
    """`connect` gives one connection a token; `read` reads one received stream, and raises BrokenPromiseError if
    anything of it is lost or altered. The effort of `others` counts as the server's."""

    connect: Callable[[Server, Sequence[str]], AbstractAsyncContextManager[Sequence[Streaming]]]
    read: Callable[[Stream], Answer]
    others: tuple[Server, ...] = ()


WEBSOCKET = Dialect(lambda server, tokens: connections(server.ws, tokens), read_stream)


@dataclass(frozen=True)
class Round:
    """What one round gave. `*_busy`: the share of one core that each side used from the first delta to the last."""

    answers: list[Answer]
    begin_ns: int
    server_busy: float
    client_busy: float

    @cached_property
    def deltas(self) -> int:
        return sum(len(answer.arrivals_ns) for answer in self.answers)

    @cached_property
    def seconds(self) -> float:
        """From the common begin to the last delta's arrival."""
        return (max(answer.arrivals_ns[-1] for answer in self.answers) - self.begin_ns) / NANOSECONDS

    @property
    def deltas_per_second(self) -> float:
        return self.deltas / self.seconds

    @cached_property
    def delays_ms(self) -> list[float]:
        """From yield to arrival, every delta of every stream (stamped loads only)."""
        return [delay for answer in self.answers for delay in answer.delays_ms]

    def summary(self) -> dict[str, float]:
        return {
            "deltas": self.deltas,
            "seconds": round(self.seconds, 3),
            "deltas_per_second": round(self.deltas_per_second, 1),
            "rows": sum(answer.rows for answer in self.answers),
            "wire_bytes": sum(answer.wire_bytes for answer in self.answers),
            "server_busy": round(self.server_busy, 3),
            "server_us_per_delta": round(1e6 * self.server_busy / self.deltas_per_second, 2),
            "client_busy": round(self.client_busy, 3),
        }


def play(server: Server, tokens: Sequence[str], task: str, load: Load, dialect: Dialect = WEBSOCKET) -> Round:
    """Runs `load` once per token at the same time, each on a socket of its own.

    Raises BrokenPromiseError when anything was lost and TimeoutError when a stream doesn't end.
    """
    return asyncio.run(play_on_loop(server, tokens, task, load, dialect))


async def play_on_loop(
    server: Server, tokens: Sequence[str], task: str, load: Load, dialect: Dialect = WEBSOCKET
) -> Round:
    """`play`, for who has other work on the same loop."""
    async with dialect.connect(server, tokens) as opened:
        lead = LEAD_SECONDS + LEAD_PER_STREAM * len(tokens)
        begin_ns = time.monotonic_ns() + int(lead * NANOSECONDS)
        with _collector_off():
            streaming = asyncio.ensure_future(run_streams(opened, task, spread(load, len(tokens), begin_ns), TIMEOUT))
            await asyncio.sleep((begin_ns - time.monotonic_ns()) / NANOSECONDS)
            server_used, client_used = _cpu_seconds(server, *dialect.others), time.process_time()
            streams = await streaming
            elapsed = (time.monotonic_ns() - begin_ns) / NANOSECONDS
            server_busy = (_cpu_seconds(server, *dialect.others) - server_used) / elapsed
            client_busy = (time.process_time() - client_used) / elapsed
    return Round([dialect.read(stream) for stream in streams], begin_ns, server_busy, client_busy)


def _cpu_seconds(*servers: Server) -> float:
    return sum(server.cpu_seconds() for server in servers)


@contextmanager
def _collector_off() -> Iterator[None]:
    """A hundred thousand kept frames would have the client's collector search them again and again."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
