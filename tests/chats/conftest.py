"""Logins, and a handler that waits until it is let go."""

import asyncio
import threading

import pytest

from handlers.events import ContentEvent
from tests.chats.live import login, make_user
from tests.chats.scripted import HELLO, handler_class


@pytest.fixture
def gate():
    """Holds handlers back until it is set; the end of the test sets it, so that no thread outlives it."""
    gate = threading.Event()
    yield gate
    gate.set()


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
