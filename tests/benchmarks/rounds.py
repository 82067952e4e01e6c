"""One round of load against one server: the same streams, begun together, received whole, with both sides' effort."""

import asyncio
import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from tests.benchmarks.client import connections, run_streams
from tests.benchmarks.frames import Answer, read_stream
from tests.benchmarks.load import NANOSECONDS, Load, spread
from tests.benchmarks.servers import Server

COOPERATIVE = "benchmark-cooperative"
OWN_LOOP = "benchmark-own-loop"
LEAD_SECONDS, LEAD_PER_STREAM = 1.0, 0.020  # so that every stream is started before the first delta is due
TIMEOUT = 180.0


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


def play(server: Server, tokens: Sequence[str], task: str, load: Load) -> Round:
    """Runs `load` once per token at the same time, each on a socket of its own.

    Raises BrokenPromiseError when anything was lost and TimeoutError when a stream doesn't end.
    """
    return asyncio.run(_play(server, tokens, task, load))


async def _play(server: Server, tokens: Sequence[str], task: str, load: Load) -> Round:
    async with connections(server.ws, tokens) as opened:
        lead = LEAD_SECONDS + LEAD_PER_STREAM * len(tokens)
        begin_ns = time.monotonic_ns() + int(lead * NANOSECONDS)
        with _collector_off():
            streaming = asyncio.ensure_future(run_streams(opened, task, spread(load, len(tokens), begin_ns), TIMEOUT))
            await asyncio.sleep((begin_ns - time.monotonic_ns()) / NANOSECONDS)
            server_used, client_used = server.cpu_seconds(), time.process_time()
            streams = await streaming
            elapsed = (time.monotonic_ns() - begin_ns) / NANOSECONDS
            server_busy = (server.cpu_seconds() - server_used) / elapsed
            client_busy = (time.process_time() - client_used) / elapsed
    return Round([read_stream(stream) for stream in streams], begin_ns, server_busy, client_busy)


@contextmanager
def _collector_off() -> Iterator[None]:
    """A hundred thousand kept frames would have the client's collector search them again and again."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
