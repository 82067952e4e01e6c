"""Many answers of a model at once, through a stand-in for its server in a process of its own.

Titles are off: they would be more requests after each answer, which nobody waits for.
"""

import asyncio
import time
from statistics import median

from tests.benchmarks.asking import Asker, askers
from tests.benchmarks.figures import Line, at_most
from tests.benchmarks.frames import BrokenPromiseError
from tests.benchmarks.servers import Server
from tests.benchmarks.stage import Stage
from tests.standins.leading import NOWHERE, leads_to

STREAMS, WORDS, PAUSE = 60, 20, 0.1  # 2 s each
LIMIT = 4.0  # seconds
PROVIDERS = ("bedrock", "openai")


def measure(stage: Stage) -> list[Line]:
    """Each round has a fresh server, which is asked twice: unprepared, and when its clients and threads are there."""
    return [line for provider in PROVIDERS for line in _of(stage, provider)]


def _of(stage: Stage, provider: str) -> list[Line]:
    cold, warm, busy = [], [], []
    with stage.standin(provider) as standin:
        variables = {**NOWHERE, **leads_to(provider, standin.http), "WORKBENCH_TITLES": "off"}
        for _ in range(stage.rounds):
            with stage.fresh_product(**variables) as product:
                seconds = asyncio.run(_rounds(product, stage.tokens[:STREAMS]))
                cold.append(seconds[0])
                warm.append(seconds[1])
                busy.append(seconds[2])
    title = f"{STREAMS} streams of {WORDS * PAUSE:g} s, {provider}"
    return [
        Line(f"{title}, at its first use", median(cold), "s", at_most(LIMIT), detail={"rounds": cold}),
        Line(
            "  warm",
            median(warm),
            "s",
            at_most(LIMIT),
            f"{1e3 * median(busy) / STREAMS:.3g} ms of CPU a stream",
            detail={"rounds": warm},
        ),
    ]


async def _rounds(product: Server, tokens: list[str]) -> tuple[float, float, float]:
    """Seconds from the first question to the last end: unprepared, and warm; and the latter's seconds of CPU."""
    async with askers(product, tokens) as asking:
        cold = await _round(asking)
        before = product.cpu_seconds()
        warm = await _round(asking)
        return cold, warm, product.cpu_seconds() - before


async def _round(asking: list[Asker]) -> float:
    begin = time.monotonic()
    ends = await asyncio.gather(*(each.ask(f"Tell me of tides. words={WORDS} pause={PAUSE}") for each in asking))
    seconds = time.monotonic() - begin
    if failed := [end for end in ends if end["status"] != "completed"]:
        raise BrokenPromiseError(f"{len(failed)} of {len(ends)} answers failed: {failed[0]}")
    return seconds
