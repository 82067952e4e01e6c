"""Five thousand idle sockets on one process: what they cost in memory, and what a live stream notices of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import median

from tests.benchmarks.client import connections
from tests.benchmarks.figures import Line, at_most, median_ratio, percentile
from tests.benchmarks.frames import BrokenPromiseError
from tests.benchmarks.load import Load
from tests.benchmarks.rounds import COOPERATIVE, Round, play_on_loop
from tests.benchmarks.servers import Server
from tests.benchmarks.stage import Stage

SOCKETS = 5_000
STREAMS, PER_SECOND, SECONDS = 10, 30, 8.0
SETTLED_SECONDS = 2.0
UNCHANGED = 1.25  # the noise of two runs without any idle socket is told beside it


def measure(stage: Stage) -> list[Line]:
    """Each round plays on the process with the idle sockets between two plays on one that has none."""
    users = [stage.tokens[number % len(stage.tokens)] for number in range(SOCKETS)]
    load = Load(deltas=int(PER_SECOND * stage.seconds(SECONDS)), per_second=PER_SECOND, stamped=True)
    with stage.baseline("consumer") as channels:
        bare_bytes = asyncio.run(_bytes_per_socket(channels, users))
    with stage.fresh_product() as crowded, stage.fresh_product() as empty:
        own_bytes, rounds = asyncio.run(_take_turns(stage, crowded, empty, users, load))
    return [
        *(_delay_line(rounds, percent) for percent in (50, 99)),
        Line(
            f"  memory of each of {SOCKETS:,}, to bare Channels",
            own_bytes / bare_bytes,
            "x",
            at_most(1.5),
            f"{own_bytes / 1000:.3g} KB, bare Channels {bare_bytes / 1000:.3g} KB",
        ),
    ]


async def _bytes_per_socket(server: Server, users: Sequence[str]) -> float:
    before = server.resident_bytes()
    async with _idle(server, users):
        return (server.resident_bytes() - before) / len(users)


async def _take_turns(
    stage: Stage, crowded: Server, empty: Server, users: Sequence[str], load: Load
) -> tuple[float, list[dict[str, Round]]]:
    """The bytes of each idle socket; and the rounds: before and after without, between them with."""
    live, rounds = stage.tokens[:STREAMS], []
    before = crowded.resident_bytes()
    async with _idle(crowded, users) as held:
        size = (crowded.resident_bytes() - before) / len(users)
        for _ in range(stage.rounds):
            turns = {"before": empty, "with": crowded, "after": empty}
            rounds.append({at: await play_on_loop(server, live, COOPERATIVE, load) for at, server in turns.items()})
        _require_all_open(held)
    return size, rounds


@asynccontextmanager
async def _idle(server: Server, users: Sequence[str]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """As many sockets, greeted and then silent but for pings, once the server has settled."""
    async with connections(server.ws, users) as opened:
        held = [asyncio.create_task(connection.idle()) for connection in opened]
        await asyncio.sleep(SETTLED_SECONDS)
        try:
            yield held
        finally:
            for task in held:
                task.cancel()
            await asyncio.gather(*held, return_exceptions=True)


def _require_all_open(held: Sequence[asyncio.Task[None]]) -> None:
    if gone := sum(task.done() for task in held):
        raise BrokenPromiseError(f"{gone} of {len(held)} idle sockets were closed")


def _delay_line(rounds: Sequence[dict[str, Round]], percent: int) -> Line:
    delays = {at: [percentile(each[at].delays_ms, percent) for each in rounds] for at in rounds[0]}
    without = [(before + after) / 2 for before, after in zip(delays["before"], delays["after"], strict=True)]
    noise = median(max(pair) / min(pair) for pair in zip(delays["before"], delays["after"], strict=True))
    which = "median" if percent == 50 else "99th percentile"
    title = f"Delay beside {SOCKETS:,} idle sockets, {which}" if percent == 50 else f"  {which}"
    return Line(
        f"{title}, to without",
        median_ratio(list(zip(delays["with"], without, strict=True))),
        "x",
        at_most(UNCHANGED),
        f"{median(delays['with']):.3g} ms, without {median(without):.3g} ms, whose own noise is {noise:.2f} x",
        detail=delays,
    )
