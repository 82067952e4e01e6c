"""A hundred saturated streams beside others' ways: FastAPI with SSE, Chainlit, and a group_send per event.

None of the others stores anything. Each is played in its own protocol by a client that does the least it must, and
what it delivered is checked as ours is.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from statistics import median

from tests.benchmarks.figures import Limit, Line, NotMeasuredError, at_least, median_ratio
from tests.benchmarks.foreign import CHAINLIT, SSE
from tests.benchmarks.load import Load
from tests.benchmarks.rounds import COOPERATIVE, WEBSOCKET, Dialect, Round, play
from tests.benchmarks.servers import PROJECT, Server
from tests.benchmarks.stage import Stage

STREAMS = 100
WARM_UP = Load(deltas=100, per_second=100)
SSE_NAME, CHAINLIT_NAME = "FastAPI + SSE on uvicorn", "Chainlit"
MEMORY_NAME, REDIS_NAME = "group_send per event, in memory", "group_send per event, Redis pub/sub"
DIALECTS: dict[str, Dialect] = {SSE_NAME: SSE, CHAINLIT_NAME: CHAINLIT}
LIMITS: dict[str, Limit] = {
    SSE_NAME: at_least(0.5),
    CHAINLIT_NAME: at_least(4),
    MEMORY_NAME: at_least(8),
    REDIS_NAME: at_least(8),
}
DELTAS = {"product": 7_500, SSE_NAME: 3_000, CHAINLIT_NAME: 300, MEMORY_NAME: 80, REDIS_NAME: 100}  # a stream: 4 s


def measure(stage: Stage) -> list[Line]:
    """All servers run through all rounds and take turns; one that isn't there is named, and the others are measured."""
    missing: dict[str, str] = {}
    with ExitStack() as started:
        servers = {"product": stage.product}
        for name, starting in _others(stage).items():
            try:
                servers[name] = started.enter_context(starting)
            except NotMeasuredError as reason:
                missing[name] = str(reason)
        rounds = [_round(stage, servers) for _ in range(stage.rounds)]
    return [_line(name, rounds, missing) for name in LIMITS]


def _others(stage: Stage) -> dict[str, AbstractContextManager[Server]]:
    return {
        SSE_NAME: _warmed_up(_fastapi(stage), SSE),
        CHAINLIT_NAME: _warmed_up(_chainlit(stage), CHAINLIT),
        MEMORY_NAME: stage.baseline("consumer", BENCHMARK_LAYER="memory"),
        REDIS_NAME: _through_redis(stage),
    }


@contextmanager
def _warmed_up(starting: AbstractContextManager[Server], dialect: Dialect) -> Iterator[Server]:
    with starting as server:
        play(server, [""] * 20, "", WARM_UP, dialect)
        yield server


def _fastapi(stage: Stage) -> AbstractContextManager[Server]:
    quiet = ("--log-level", "warning", "--no-access-log")
    return stage.rival("fastapi", "uvicorn", "tests.benchmarks.apps.fastapi_sse:application", *quiet)


@contextmanager
def _through_redis(stage: Stage) -> Iterator[Server]:
    with stage.baseline("consumer", BENCHMARK_LAYER=stage.services.redis.url) as server:
        yield server


def _round(stage: Stage, servers: dict[str, Server]) -> dict[str, Round]:
    return {name: _play(stage, name, server) for name, server in servers.items()}


def _play(stage: Stage, name: str, server: Server) -> Round:
    load = Load(deltas=int(stage.seconds(DELTAS[name])), frame_bytes=stage.frame_bytes[False])
    return play(server, stage.tokens[:STREAMS], COOPERATIVE, load, DIALECTS.get(name, WEBSOCKET))


def _line(name: str, rounds: list[dict[str, Round]], missing: dict[str, str]) -> Line:
    title = f"Delivered, to {name}"
    if name in missing:
        return Line(title, None, "", LIMITS[name], missing=missing[name])
    ours, theirs = ([each[which].deltas_per_second for each in rounds] for which in ("product", name))
    busy = max(each[name].client_busy for each in rounds)
    return Line(
        title,
        median_ratio(list(zip(ours, theirs, strict=True))),
        "x",
        LIMITS[name],
        f"{median(theirs):,.0f} events/s, ours {median(ours):,.0f}; client {busy:.0%} busy",
        detail={
            "product": [each["product"].summary() for each in rounds],
            name: [each[name].summary() for each in rounds],
        },
    )


@contextmanager
def _chainlit(stage: Stage) -> Iterator[Server]:
    """It writes its settings into a folder of its own; it asks for nothing from outside."""
    root = stage.folder / "chainlit"
    root.mkdir(exist_ok=True)
    script = str(PROJECT / "tests" / "benchmarks" / "apps" / "chainlit_app.py")
    with stage.rival("chainlit", "chainlit", "run", script, "--headless", CHAINLIT_APP_ROOT=str(root)) as server:
        yield server
