"""What a socket and a stream cost in memory: the growth of a fresh server's resident set, divided by their number."""

import asyncio
import time
from collections.abc import Sequence

from tests.benchmarks.client import connections, run_streams
from tests.benchmarks.figures import Line
from tests.benchmarks.load import NANOSECONDS, Load, spread
from tests.benchmarks.rounds import COOPERATIVE, OWN_LOOP, TIMEOUT
from tests.benchmarks.servers import Server
from tests.benchmarks.stage import Stage

SOCKETS = 1_000
COOPERATIVE_STREAMS, OWN_LOOP_STREAMS = 500, 200
STREAMED_SECONDS, SETTLED_SECONDS = 12.0, 2.0


def measure(stage: Stage) -> list[Line]:
    """Each figure has a server of its own: memory that one gave back to its allocator would hide the next."""
    users = [stage.tokens[number % len(stage.tokens)] for number in range(SOCKETS)]
    seconds = stage.seconds(STREAMED_SECONDS)
    with stage.fresh_bare() as bare:
        bare_idle = asyncio.run(_per_idle_socket(bare, users))
    with stage.fresh_product() as product:
        idle = asyncio.run(_per_idle_socket(product, users))
    with stage.fresh_product() as product:
        active = asyncio.run(_per_stream(product, users[:COOPERATIVE_STREAMS], COOPERATIVE, seconds))
    with stage.fresh_product() as product:
        own_loop = asyncio.run(_per_stream(product, users[:OWN_LOOP_STREAMS], OWN_LOOP, seconds))
    return [
        Line("Memory per idle socket", idle, "KB", note=f"of {SOCKETS:,}; bare {bare_idle:.3g} KB"),
        Line("  per active stream, its socket included", active, "KB", note=f"of {COOPERATIVE_STREAMS}, cooperative"),
        Line("  with a loop of its own", own_loop, "KB", note=f"of {OWN_LOOP_STREAMS}"),
    ]


async def _per_idle_socket(server: Server, tokens: Sequence[str]) -> float:
    before = server.resident_bytes()
    async with connections(server.ws, tokens):
        await asyncio.sleep(SETTLED_SECONDS)
        return (server.resident_bytes() - before) / len(tokens) / 1000


async def _per_stream(server: Server, tokens: Sequence[str], task: str, seconds: float) -> float:
    """Measured in the middle of streams of ten deltas a second that last `seconds`."""
    before = server.resident_bytes()
    load = Load(deltas=int(10 * seconds), per_second=10)
    async with connections(server.ws, tokens) as opened:
        loads = spread(load, len(tokens), time.monotonic_ns() + NANOSECONDS)
        streaming = asyncio.ensure_future(run_streams(opened, task, loads, TIMEOUT))
        await asyncio.sleep(1 + seconds / 2)
        grown = server.resident_bytes() - before
        await streaming
    return grown / len(tokens) / 1000
