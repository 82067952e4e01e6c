"""The law finds what it is there to find: each bug, planted in the real code, makes it fail within a few examples."""

from collections.abc import Callable, Iterator

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


def find_break(stage: Stage) -> tuple[LawBroken | None, int]:
    """The first breach of the law, and after how many examples it was found."""
    found: list[LawBroken] = []
    tried: list[Script] = []

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(scripts(fewest=8))
    def look(script: Script) -> None:
        if found:
            return
        tried.append(script)
        try:
            check(stage.perform(script))
        except LawBroken as error:
            found.append(error)

    look()
    return (found[0] if found else None), len(tried)


@pytest.mark.parametrize("bug", PLANTS)
def test_a_planted_bug_breaks_the_law(stage: Stage, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    PLANTS[bug](monkeypatch)
    broken, tried = find_break(stage)
    print(f"{bug}: after {tried} examples: {str(broken).splitlines()[0]}")
    assert broken is not None, f"{EXAMPLES} examples passed though {bug}"
