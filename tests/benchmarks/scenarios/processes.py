"""Two processes on one PostgreSQL and Redis: everything is started on the first and watched on the second.

Both share the servers' core, PostgreSQL and Redis the client's: a second process brings no second core here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from tests.benchmarks.elsewhere import watched_on
from tests.benchmarks.figures import Line, at_least, median_ratio, percentile
from tests.benchmarks.load import Load
from tests.benchmarks.rounds import COOPERATIVE, Round, play
from tests.benchmarks.servers import Server
from tests.benchmarks.stage import Stage

STREAMS, SATURATED_DELTAS = 100, 5_000  # a stream
PER_SECOND, SECONDS = 30, 6.0
MANY_STREAMS, MANY_SECONDS = 300, 8.0


def measure(stage: Stage) -> list[Line]:
    """That nothing is lost is checked of every stream, in every round and at each of the three loads."""
    there = stage.on_postgres
    redis = stage.services.redis
    with _two_processes(there, redis.url) as (first, second):
        rounds = [_round(there, first, second) for _ in range(stage.rounds)]
        steady = [_watched(there, first, second, STREAMS, SECONDS) for _ in range(stage.rounds)]
        many = _watched(there, first, second, MANY_STREAMS, MANY_SECONDS)
    return [*_saturated_lines(rounds), *_paced_lines(steady, many)]


@contextmanager
def _two_processes(stage: Stage, redis_url: str) -> Iterator[tuple[Server, Server]]:
    shared = {"DATABASE_URL": stage.databases.copy("shared"), "REDIS_URL": redis_url}
    with stage.fresh_product(**shared) as first, stage.fresh_product(**shared) as second:
        yield first, second


def _round(stage: Stage, first: Server, second: Server) -> dict[str, Round]:
    """`alone`: one process without Redis, on a database of the same cluster."""
    load, tokens = Load(deltas=int(stage.seconds(SATURATED_DELTAS))), stage.tokens[:STREAMS]
    return {
        "alone": play(stage.product, tokens, COOPERATIVE, load),
        "elsewhere": play(first, tokens, COOPERATIVE, load, watched_on(second)),
        "here": play(first, tokens, COOPERATIVE, load),
    }


def _watched(stage: Stage, first: Server, second: Server, streams: int, seconds: float) -> Round:
    load = Load(deltas=int(PER_SECOND * stage.seconds(seconds)), per_second=PER_SECOND, stamped=True)
    return play(first, stage.tokens[:streams], COOPERATIVE, load, watched_on(second))


def _saturated_lines(rounds: list[dict[str, Round]]) -> list[Line]:
    speeds = {name: [each[name].deltas_per_second for each in rounds] for name in rounds[0]}
    detail = {name: [each[name].summary() for each in rounds] for name in rounds[0]}
    pairs = list(zip(speeds["elsewhere"], speeds["alone"], strict=True))
    return [
        Line(
            "100 saturated streams, all watched on another process",
            median(speeds["elsewhere"]),
            "deltas/s",
            note=f"watched where they run, beside Redis, {median(speeds['here']):,.0f}",
            detail=detail,
        ),
        Line(
            "  to one process alone on the same PostgreSQL",
            median_ratio(pairs),
            "x",
            at_least(0.5),
            f"alone {median(speeds['alone']):,.0f} deltas/s",
        ),
    ]


def _paced_lines(steady: list[Round], many: Round) -> list[Line]:
    delays = {percent: median(percentile(each.delays_ms, percent) for each in steady) for percent in (50, 99)}
    detail = {"100": [each.summary() for each in steady], str(MANY_STREAMS): many.summary()}
    return [
        Line("  100 streams of 30/s there, yield to client, median", delays[50], "ms", detail=detail),
        Line("  99th percentile", delays[99], "ms"),
        Line(f"  {MANY_STREAMS} streams of 30/s there, median", percentile(many.delays_ms, 50), "ms", note="none lost"),
    ]
