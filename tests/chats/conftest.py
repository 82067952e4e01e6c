"""Users, logins, and handlers: one that is run to its end, and one that waits until it is let go."""

import asyncio
import threading

import pytest

from handlers.events import ContentEvent
from tests.chats.live import login, make_user
from tests.chats.scripted import HELLO, handler_class, run_to_end


@pytest.fixture
def gate():
    """Holds handlers back until it is set; the end of the test sets it, so that no thread outlives it."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def user(engine):
    """A user, beside a running engine."""
    return make_user()


@pytest.fixture
def finish(register, user):
    """`finish(body)` runs a handler made of `body` to its end, and shows that the next answer is like any other."""

    def run(body, **attributes):
        register(handler_class(body, **attributes))
        finished = run_to_end(user)
        assert run_to_end(user, "demo", "text").outcome == ("completed", None)
        return finished

    return run


@pytest.fixture
def key(engine):
    """The login of a user, beside a running engine."""
    return login(make_user())


@pytest.fixture
def others_key(engine):
    return login(make_user("grace"))


@pytest.fixture
def held(register, gate):
    """The name of a handler that says hello, waits for the gate, and says goodbye."""

    async def body(self):
        yield HELLO
        while not gate.is_set():
            await asyncio.sleep(0.005)
        yield ContentEvent(content=" and goodbye")

    return register(handler_class(body, "held", cooperative=True))
