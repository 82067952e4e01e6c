"""A hundred streams as fast as they go: deltas per second beside a bare server's frames and one insert per event."""

from statistics import median

from tests.benchmarks.figures import Line, at_least, goal_of, median_ratio
from tests.benchmarks.load import Load
from tests.benchmarks.rounds import COOPERATIVE, OWN_LOOP, Round, play
from tests.benchmarks.stage import Stage

STREAMS = 100
SECONDS = 5.0
EXPECTED_PER_SECOND = {
    "product": 150_000,
    "bare": 45_000,
    "bare, joined": 120_000,
    "ORM insert": 1_500,
    "own loops": 120_000,
}
JOINED = 64  # frames of one stream in one write: what the runner's own turns are, and no stream from a model gives


def measure(stage: Stage) -> list[Line]:
    """Each round runs all four servers back to back; the lines are medians of the rounds' ratios."""
    rounds = [_play_all(stage) for _ in range(stage.rounds)]
    speeds = {name: [each[name].deltas_per_second for each in rounds] for name in rounds[0]}
    detail = {name: [each[name].summary() for each in rounds] for name in rounds[0]}
    product, bare, insert = speeds["product"], speeds["bare"], speeds["ORM insert"]
    return [
        Line(
            "100 saturated streams, durable before shown",
            median(product),
            "deltas/s",
            note=_effort(rounds),
            detail=detail,
        ),
        Line(
            "  to bare daphne's frames",
            _ratio(product, bare),
            "x",
            at_least(1.2),
            f"bare sends {median(bare):,.0f} frames/s",
        ),
        Line(
            f"  to bare daphne joining {JOINED} frames a write",
            _ratio(product, speeds["bare, joined"]),
            "x",
            note=f"{median(speeds['bare, joined']):,.0f} frames/s",
        ),
        Line(
            "  to one ORM insert per event",
            _ratio(product, insert),
            "x",
            at_least(12),
            f"inserting sends {median(insert):,.0f} events/s",
        ),
        Line(
            "  handlers with own loops, to bare",
            _ratio(speeds["own loops"], bare),
            "x",
            goal_of(0.6),
            f"{median(speeds['own loops']):,.0f} deltas/s",
        ),
    ]


def on_postgres(stage: Stage) -> list[Line]:
    """The same on a stage with PostgreSQL, which shares the client's core, beside the bare server."""
    rounds = [_play_all(stage, "product", "bare") for _ in range(stage.rounds)]
    product, bare = ([each[name].deltas_per_second for each in rounds] for name in ("product", "bare"))
    detail = {name: [each[name].summary() for each in rounds] for name in rounds[0]}
    return [
        Line("PostgreSQL: 100 saturated streams", median(product), "deltas/s", note=_effort(rounds), detail=detail),
        Line(
            "  to bare daphne's frames",
            _ratio(product, bare),
            "x",
            at_least(1.6),
            f"bare sends {median(bare):,.0f} frames/s",
        ),
    ]


def _play_all(stage: Stage, *names: str) -> dict[str, Round]:
    return {name: _play_one(stage, name) for name in names or EXPECTED_PER_SECOND}


def _play_one(stage: Stage, name: str) -> Round:
    server, task = {
        "product": lambda: (stage.product, COOPERATIVE),
        "bare": lambda: (stage.bare, ""),
        "bare, joined": lambda: (stage.bare, ""),
        "ORM insert": lambda: (stage.orm_insert, ""),
        "own loops": lambda: (stage.product, OWN_LOOP),
    }[name]()
    return play(server, stage.tokens[:STREAMS], task, _load(stage, name))


def _load(stage: Stage, name: str) -> Load:
    """As many deltas as take about SECONDS, so that no server is judged by its first second."""
    deltas = EXPECTED_PER_SECOND[name] * stage.seconds(SECONDS) / STREAMS
    joined = JOINED if name == "bare, joined" else 1
    return Load(deltas=int(deltas), frame_bytes=stage.frame_bytes[False], frames_per_turn=joined)


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return median_ratio(list(zip(ours, theirs, strict=True)))


def _effort(rounds: list[dict[str, Round]]) -> str:
    server = median(each["product"].server_busy for each in rounds)
    client = max(each[name].client_busy for each in rounds for name in each)
    return f"server {server:.0%} busy, client at most {client:.0%}"
