"""The promises of speed once more, on PostgreSQL: its cluster is the run's own and shares the client's core."""

from dataclasses import replace

from tests.benchmarks.figures import Line
from tests.benchmarks.scenarios import first_event, saturated, steady
from tests.benchmarks.stage import Stage


def measure(stage: Stage) -> list[Line]:
    there = stage.on_postgres
    return [
        *saturated.on_postgres(there),
        *(replace(line, title=_titled(line.title)) for line in (*steady.measure(there), *first_event.measure(there))),
    ]


def _titled(title: str) -> str:
    return title if title.startswith(" ") else f"PostgreSQL: {title}"
