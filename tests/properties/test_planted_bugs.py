"""The law finds what it is there to find: each bug, planted in the real code, breaks it within a few examples."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from chats.engine import Engine
from tests.properties.law import LawBroken, check
from tests.properties.plants import PLANTS
from tests.properties.scripts import Script, scripts
from tests.properties.stage import HANDLERS, Stage

EXAMPLES = 100
PATIENCE = 3.0  # seconds until an end that a bug swallowed is given up


@pytest.fixture
def stage(engine: Engine, register: Callable[..., str]) -> Iterator[Stage]:
    for handler in HANDLERS:
        register(handler)
    stage = Stage(engine, patience=PATIENCE)
    yield stage
    stage.close()


@cache
def repertoire() -> list[Script]:
    """The same examples for every bug, those with the greatest variety first."""
    drawn: dict[str, Script] = {}

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(scripts(fewest=8))
    def draw(script: Script) -> None:
        drawn[repr(script)] = script

    draw()
    return sorted(drawn.values(), key=variety, reverse=True)


def variety(script: Script) -> int:
    return len({(type(step), getattr(step, "emit", None), getattr(step, "persist", None)) for step in script.steps})


@pytest.mark.parametrize("bug", PLANTS)
def test_a_planted_bug_breaks_the_law(stage: Stage, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    PLANTS[bug](monkeypatch)
    for tried, script in enumerate(repertoire(), start=1):
        try:
            check(stage.perform(script))
        except LawBroken as broken:
            print(f"{bug}: found with example {tried}: {str(broken).splitlines()[0]}")
            return
    pytest.fail(f"{len(repertoire())} examples passed though {bug}")
