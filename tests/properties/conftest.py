"""The stage of the law tests, and how many examples they take."""

from collections.abc import Callable, Iterator

import pytest

from chats.engine import Engine
from handlers.base import BaseTaskHandler
from tests.properties.stage import HANDLERS, Stage


@pytest.fixture
def stage(engine: Engine, register: Callable[[type[BaseTaskHandler]], str]) -> Iterator[Stage]:
    """A running engine and a reader who is logged in, for many examples."""
    for handler in HANDLERS:
        register(handler)
    stage = Stage(engine)
    yield stage
    stage.close()
