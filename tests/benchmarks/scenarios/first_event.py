"""How soon an answer begins: from the handler's first yield, beside bare daphne, and from the client's `start`."""

import asyncio
from statistics import median

from tests.benchmarks.client import Connection, connections
from tests.benchmarks.figures import Line, at_most, percentile
from tests.benchmarks.frames import Answer, read_stream
from tests.benchmarks.load import Load
from tests.benchmarks.rounds import COOPERATIVE
from tests.benchmarks.servers import Server
from tests.benchmarks.stage import Stage

SAMPLES = 100
LOAD = Load(deltas=3, per_second=25, stamped=True)  # the end comes well after the first event, as in life
PAUSE = 0.02


def measure(stage: Stage) -> list[Line]:
    """One stream at a time on an idle, warm server; the two servers take turns."""
    load = Load(**{**vars(LOAD), "frame_bytes": stage.frame_bytes[True]})
    # The stage starts and warms up a server when it's first named, with a loop of its own: so before ours runs.
    servers, samples = (stage.product, stage.bare), int(stage.seconds(SAMPLES))
    product, bare = asyncio.run(_take_turns(*servers, stage.tokens[0], load, samples))
    from_yield, from_bare_yield = _from_yield(product), _from_yield(bare)
    from_start = [(answer.arrivals_ns[0] - answer.asked_ns) / 1e6 for answer in product]
    return [
        Line(
            "First event, from its yield, over bare's",
            median(from_yield) - median(from_bare_yield),
            "ms",
            at_most(3),
            f"{median(from_yield):.2g} ms, bare {median(from_bare_yield):.2g} ms",
            detail={"from_yield_p99_ms": percentile(from_yield, 99), "bare_p99_ms": percentile(from_bare_yield, 99)},
        ),
        Line(
            "  from `start`, median",
            median(from_start),
            "ms",
            at_most(10),
            f"99th percentile {percentile(from_start, 99):.2g} ms",
        ),
    ]


async def _take_turns(
    product: Server, bare: Server, token: str, load: Load, samples: int
) -> tuple[list[Answer], list[Answer]]:
    answers: tuple[list[Answer], list[Answer]] = ([], [])
    async with connections(product.ws, [token]) as ours, connections(bare.ws, [token]) as theirs:
        for _ in range(samples):
            for taken, connection in zip(answers, (*ours, *theirs), strict=True):
                taken.append(await _one(connection, load))
    return answers


async def _one(connection: Connection, load: Load) -> Answer:
    answer = read_stream(await connection.stream(COOPERATIVE, load))
    await asyncio.sleep(PAUSE)
    return answer


def _from_yield(answers: list[Answer]) -> list[float]:
    return [answer.delays_ms[0] for answer in answers]
