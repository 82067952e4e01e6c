"""How soon a model's server sees that nobody wants an answer any more, and how often it is asked.

Through the whole product: from the client's `cancel` to the close of the product's connection, by the stand-in's log.
"""

import asyncio
from collections.abc import Sequence
from statistics import median

from tests.benchmarks.asking import Asker, askers, log_of, wait_for_log
from tests.benchmarks.figures import Line, at_most, percentile
from tests.benchmarks.servers import Server
from tests.benchmarks.stage import Stage
from tests.standins.leading import NOWHERE, leads_to

PROVIDERS = ("bedrock", "openai")
SAMPLES = 9
LIMIT_MS = 50.0
PHASES = {
    "while words flow": "words=100000 pause=0.01",
    "stalled": "stall=2",
    "before headers": "hang=600",
}
FIRST_TOKEN_TIMEOUT = 1.0  # seconds
RETRIED_BY_THEN = 3.0  # seconds: above the longest pause before a second try


def measure(stage: Stage) -> list[Line]:
    return [line for provider in PROVIDERS for line in _of(stage, provider)]


def _of(stage: Stage, provider: str) -> list[Line]:
    with stage.standin(provider) as standin:
        leading = {**NOWHERE, **leads_to(provider, standin.http), "WORKBENCH_TITLES": "off"}
        with stage.fresh_product(**leading) as product:
            samples = int(stage.seconds(SAMPLES))
            delays, extra = asyncio.run(_cancelled(product, standin, stage.tokens[0], samples))
        impatient = {**leading, "WORKBENCH_MODEL_FIRST_TOKEN_TIMEOUT": str(FIRST_TOKEN_TIMEOUT)}
        with stage.fresh_product(**impatient) as product:
            asked = asyncio.run(_unanswered(product, standin, stage.tokens[0]))
    lines = [_delay_line(provider, phase, found) for phase, found in delays.items()]
    return [
        *lines,
        Line(f"Requests to {provider} after a cancel", extra, "", at_most(0), f"{RETRIED_BY_THEN:g} s were waited"),
        Line(f"Requests to {provider} for an answer that never came", asked, "", at_most(1)),
    ]


def _delay_line(provider: str, phase: str, delays: Sequence[float]) -> Line:
    return Line(
        f"Cancel to the close that {provider} sees, {phase}",
        median(delays),
        "ms",
        at_most(LIMIT_MS),
        f"of {len(delays)}; slowest {percentile(delays, 100):.3g} ms",
        detail={"delays_ms": list(delays)},
    )


async def _cancelled(product: Server, standin: Server, token: str, samples: int) -> tuple[dict[str, list[float]], int]:
    """Milliseconds by phase; and how many requests came that nobody asked for."""
    delays: dict[str, list[float]] = {phase: [] for phase in PHASES}
    async with askers(product, [token]) as (asker,):
        await asker.ask("words=1")  # the clients and the threads are there
        asked = len(log_of(standin))
        for _ in range(samples):
            for phase, behaviour in PHASES.items():
                delays[phase].append(await _cancel(asker, standin, asked, behaviour))
                asked += 1
    await asyncio.sleep(RETRIED_BY_THEN)
    return delays, len(log_of(standin)) - asked


async def _cancel(asker: Asker, standin: Server, number: int, behaviour: str) -> float:
    await asker.start(f"Tell me of tides. {behaviour}")
    if "hang" not in behaviour:
        await asker.begun()
    await wait_for_log(standin, number, lambda request: True)
    asked_at = await asker.cancel()
    await asker.end()
    request = await wait_for_log(standin, number, lambda request: request["closed_at"] is not None)
    return 1e3 * (float(request["closed_at"]) - asked_at)


async def _unanswered(product: Server, standin: Server, token: str) -> int:
    """How many requests one question made, whose answer's first byte is later than the product waits."""
    before = len(log_of(standin))
    async with askers(product, [token]) as (asker,):
        await asker.ask("Tell me of tides. hang=600")
    await asyncio.sleep(RETRIED_BY_THEN)
    return len(log_of(standin)) - before
