"""A hundred streams of thirty deltas a second: how long each delta is under way."""

from statistics import median

from tests.benchmarks.figures import Line, at_most, percentile
from tests.benchmarks.load import Load
from tests.benchmarks.rounds import COOPERATIVE, Round, play
from tests.benchmarks.stage import Stage

STREAMS, PER_SECOND, SECONDS = 100, 30, 8.0


def measure(stage: Stage) -> list[Line]:
    """Medians over the rounds of each round's median and 99th percentile, bare daphne's beside them."""
    load = Load(
        deltas=int(PER_SECOND * stage.seconds(SECONDS)),
        per_second=PER_SECOND,
        stamped=True,
        frame_bytes=stage.frame_bytes[True],
    )
    tokens = stage.tokens[:STREAMS]
    product, bare = [], []
    for _ in range(stage.rounds):
        product.append(play(stage.product, tokens, COOPERATIVE, load))
        bare.append(play(stage.bare, tokens, "", load))
    detail = {"product": [_delays(each) for each in product], "bare": [_delays(each) for each in bare]}
    return [
        Line(
            "100 streams of 30/s, yield to client, median",
            _over(product, 50),
            "ms",
            at_most(5),
            f"bare {_over(bare, 50):.2g} ms; server {median(each.server_busy for each in product):.0%} busy",
            detail=detail,
        ),
        Line("  99th percentile", _over(product, 99), "ms", at_most(25), f"bare {_over(bare, 99):.2g} ms"),
    ]


def _over(rounds: list[Round], percent: float) -> float:
    return median(percentile(each.delays_ms, percent) for each in rounds)


def _delays(played: Round) -> dict[str, float]:
    delays = {f"p{percent}_ms": round(percentile(played.delays_ms, percent), 3) for percent in (50, 99, 100)}
    return {**played.summary(), **delays}
