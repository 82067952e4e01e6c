"""One long answer at a model's pace: how many rows it fills and how many bytes it costs on the wire."""

import json
import urllib.request

from tests.benchmarks.figures import Line, at_most
from tests.benchmarks.frames import BrokenPromiseError
from tests.benchmarks.load import Load
from tests.benchmarks.rounds import COOPERATIVE, play
from tests.benchmarks.servers import Server
from tests.benchmarks.stage import Stage

LOAD = Load(deltas=2_000, per_second=50)  # 20,000 characters in 40 s; --quick changes nothing: rows depend on it
OVERHEAD_PER_ROW = 200


def measure(stage: Stage) -> list[Line]:
    """The rows are counted twice: by the live frames' numbers and by what the HTTP API lists afterwards."""
    answer = play(stage.product, stage.tokens[:1], COOPERATIVE, LOAD).answers[0]
    listed = _rows_listed(stage.product, stage.tokens[0], answer.response_id)
    if listed != answer.rows:
        raise BrokenPromiseError(f"{answer.rows} rows were numbered live, {listed} are listed")
    allowed = answer.text_bytes + OVERHEAD_PER_ROW * answer.rows
    return [
        Line("20,000 characters at 50 deltas/s, rows", answer.rows, "", at_most(900)),
        Line(
            "  wire, to its text + 200 bytes a row",
            answer.wire_bytes / allowed,
            "x",
            at_most(1),
            f"{answer.wire_bytes:,} bytes, {(answer.wire_bytes - answer.text_bytes) / answer.rows:.0f} a row over text",
        ),
    ]


def _rows_listed(server: Server, token: str, response_id: str) -> int:
    """Distinct numbers that GET responses/{id}/events/ lists, all pages."""
    numbers: set[int] = set()
    url: str | None = f"{server.http}/api/v1/responses/{response_id}/events/?limit=100"
    while url:
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=30) as response:
            page = json.load(response)
        numbers.update(event["sequence"] for event in page["results"])
        url = page["next"]
    return len(numbers)
