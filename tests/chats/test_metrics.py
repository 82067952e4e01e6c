"""What is counted of every run, without its handler's doing; and the end of the clients with the engine."""

import asyncio
import itertools
from typing import Any

import pytest
from prometheus_client import REGISTRY

from handlers.clients import clients, metrics_client
from handlers.errors import ModelThrottled
from handlers.events import ContentEvent
from tests.chats.live import make_user
from tests.chats.scripted import handler_class, run_to_end, until

_names = (f"measured{number}" for number in itertools.count())  # the process's metrics outlive a test


@pytest.fixture
def run(engine, register):
    """`run(body)` runs a handler made of `body` to its end, and gives its name."""
    user = make_user()

    def finish(body, **attributes):
        name = register(handler_class(body, next(_names), **attributes))
        run_to_end(user, name)
        until(lambda: _value("handler_duration_count", name), "the run was measured")
        return name

    return finish


def _value(metric: str, handler: str, **labels: Any) -> float:
    return REGISTRY.get_sample_value(metric, {"handler": handler, **labels}) or 0.0


def test_a_run_that_completes_is_a_success_and_timed(run):
    async def body(self):
        yield ContentEvent(content="hello")

    name = run(body)
    assert _value("handler_success_total", name) == 1
    assert _value("handler_duration_sum", name) > 0


def test_a_run_that_fails_is_an_error_of_its_type(run):
    async def body(self):
        yield ContentEvent(content="hello")
        raise ModelThrottled

    name = run(body)
    assert _value("handler_error_total", name, error_type="throttled") == 1
    assert _value("handler_success_total", name) == 0


@pytest.mark.parametrize("cooperative", [False, True])
def test_what_a_handler_counts_itself_is_not_counted_twice(run, cooperative):
    async def body(self):
        metrics_client.increment("handler.success", tags={"handler": self.name})
        yield ContentEvent(content="hello")

    assert _value("handler_success_total", run(body, cooperative=cooperative)) == 1


def test_clients_are_closed_with_the_loops_that_used_them_and_with_the_engine(engine, register):
    class Connections:
        def __init__(self):
            self.closed = []

        async def close_loop(self):
            asyncio.get_running_loop()
            self.closed.append("loop")

        def close(self):
            self.closed.append("all")

    clients.register("connections", Connections)
    try:
        connections = clients.get("connections")

        async def body(self):
            yield ContentEvent(content="hello")

        run_to_end(make_user(), register(handler_class(body)))
        engine.stop()
        assert connections.closed == ["loop", "all"]
    finally:
        clients.unregister("connections")
