"""Five hundred streams of thirty deltas a second on one process: nothing is lost and the pace is kept."""

from statistics import median

from tests.benchmarks.figures import Line, at_least, percentile
from tests.benchmarks.load import NANOSECONDS, Load
from tests.benchmarks.rounds import COOPERATIVE, Round, play
from tests.benchmarks.stage import Stage

STREAMS, PER_SECOND = 500, 30
SECONDS = 30.0  # long enough to tell a server that falls ever further behind from one that is late by a constant
KEPT = 0.99  # of the pace: the last delta may be 0.3 s behind


def measure(stage: Stage) -> list[Line]:
    """That nothing is lost is checked in every round, of every delta: a loss fails the measurement."""
    load = Load(deltas=int(PER_SECOND * stage.seconds(SECONDS)), per_second=PER_SECOND, stamped=True)
    played = [play(stage.product, stage.tokens[:STREAMS], COOPERATIVE, load) for _ in range(stage.rounds)]
    delays = {percent: median(percentile(each.delays_ms, percent) for each in played) for percent in (50, 99)}
    return [
        Line(
            "500 streams of 30/s, pace kept, nothing lost",
            median(_pace(each) for each in played),
            "x",
            at_least(KEPT),
            f"{played[0].deltas:,} deltas a round; {median(each.server_busy for each in played):.0%} busy",
            detail={"product": [each.summary() for each in played]},
        ),
        Line("  yield to client, median", delays[50], "ms"),
        Line("  99th percentile", delays[99], "ms"),
    ]


def _pace(played: Round) -> float:
    """The time that the deltas were due in, to the time that they took."""
    load = played.answers[0].load
    interval = NANOSECONDS / load.per_second
    due = max(answer.load.begin_ns for answer in played.answers) - played.begin_ns + (load.deltas - 1) * interval
    return due / NANOSECONDS / played.seconds
