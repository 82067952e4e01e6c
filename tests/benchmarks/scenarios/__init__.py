"""What is measured, one module per scenario: each plays on a Stage and gives lines with their promises."""

from collections.abc import Callable

from tests.benchmarks.figures import Line
from tests.benchmarks.scenarios import (
    beside,
    first_event,
    idle,
    long_answer,
    memory,
    model_stops,
    model_streams,
    model_tokens,
    page,
    postgres,
    processes,
    resume,
    saturated,
    steady,
    wide,
)
from tests.benchmarks.stage import Stage

Scenario = Callable[[Stage], list[Line]]

SCENARIOS: dict[str, Scenario] = {
    "saturated": saturated.measure,
    "steady": steady.measure,
    "first-event": first_event.measure,
    "wide": wide.measure,
    "long-answer": long_answer.measure,
    "memory": memory.measure,
    "postgres": postgres.measure,
    "processes": processes.measure,
    "beside": beside.measure,
    "resume": resume.measure,
    "idle": idle.measure,
    "model-streams": model_streams.measure,
    "model-stops": model_stops.measure,
    "model-tokens": model_tokens.measure,
    "page": page.measure,
}
