"""A new client takes a long response from the log: beside the bare query for the same rows and their JSON."""

import asyncio
import json
import sys
import time
from statistics import median

from tests.benchmarks.client import connections
from tests.benchmarks.databases import output_of
from tests.benchmarks.figures import Line, NotMeasuredError, at_most, median_ratio
from tests.benchmarks.frames import BrokenPromiseError, Stream, read_stream
from tests.benchmarks.load import NANOSECONDS, Load
from tests.benchmarks.rounds import IN_ROWS, play
from tests.benchmarks.servers import SERVER_CORE, Server, clean_environment, on_core
from tests.benchmarks.stage import Stage

EVENTS, ROWS_A_DELTA = 10_000, 2
ROUNDS, TIMES = 5, 5  # the two take turns by rounds; a round is several times of each
LIMIT = at_most(3)


def measure(stage: Stage) -> list[Line]:
    return [_of(each) for each in (stage, stage.on_postgres)]


def _of(stage: Stage) -> Line:
    title = f"{EVENTS:,} events to a new client, {stage.databases.name}, to query and JSON"
    try:
        pairs = _take_turns(stage)
    except NotMeasuredError as reason:
        return Line(title, None, "", LIMIT, missing=str(reason))
    ours, bare = [one for one, _ in pairs], [other for _, other in pairs]
    note = f"{median(ours):.3g} ms, bare {median(bare):.3g} ms"
    return Line(title, median_ratio(pairs), "x", LIMIT, note, detail={"ours_ms": ours, "bare_ms": bare})


def _take_turns(stage: Stage) -> list[tuple[float, float]]:
    """Milliseconds, medians of each round: ours, and the bare query's."""
    url, token, pairs = stage.databases.copy("resume"), stage.tokens[0], []
    with stage.fresh_product(DATABASE_URL=url) as server:
        said = play(server, [token], IN_ROWS, Load(deltas=EVENTS // ROWS_A_DELTA)).answers[0]
        if said.rows < EVENTS:
            raise BrokenPromiseError(f"the response has {said.rows} rows, not {EVENTS}")
        for _ in range(ROUNDS):
            ours = asyncio.run(_resumes(server, token, said.response_id, said.load))
            pairs.append((median(ours), median(_queries(url, said.response_id, said.rows))))
    return pairs


async def _resumes(server: Server, token: str, response_id: str, load: Load) -> list[float]:
    """From `subscribe` to the last frame, each time on a socket that has just been greeted."""
    taken = []
    for _ in range(TIMES):
        async with connections(server.ws, [token]) as (connection,):
            stream = Stream(load, response_id, time.monotonic_ns())
            await connection.subscribe(stream)
            await connection.receive(stream)
            taken.append(1e3 * (stream.frames[-1][0] - stream.asked_ns) / NANOSECONDS)
            read_stream(stream)  # raises unless all of it is there
    return taken


def _queries(url: str, response_id: str, rows: int) -> list[float]:
    command = [sys.executable, "-m", "tests.benchmarks.apps.bare_query", url, response_id, str(TIMES)]
    with on_core(SERVER_CORE):
        found = json.loads(output_of(command, clean_environment()))
    if found["rows"] != rows:
        raise BrokenPromiseError(f"the log has {found['rows']} rows where {rows} were numbered live")
    return [float(each) for each in found["ms"]]
