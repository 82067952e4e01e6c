"""An owner, a stranger and nobody, a chat with an answer in it, and a running engine where one is asked for."""

import threading
from collections.abc import Iterator

import pytest

from chats.engine import Engine, get_engine
from chats.models import Chat, Message
from handlers.registry import registry
from tests.chats.api.makers import END, JSONClient, logged_in, make_response, start_of, text
from tests.chats.api.streams import AsyncJSONClient, Gated, alogged_in
from workbench.models import User


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner", password="a")


@pytest.fixture
def stranger(db: None) -> User:
    return User.objects.create_user("stranger", password="b")


@pytest.fixture
def client_of_owner(owner: User) -> JSONClient:
    return logged_in(owner)


@pytest.fixture
def chat(owner: User) -> Chat:
    return Chat.objects.create(owner=owner, title="Rivers")


@pytest.fixture
def response(chat: Chat) -> Message:
    return make_response(chat, [start_of(), text("The Nile."), END])


@pytest.fixture
def engine(transactional_db: None) -> Iterator[Engine]:
    """The process's engine, writing to the test database."""
    started = get_engine()
    started.start()
    yield started
    started.stop()


@pytest.fixture
def gate(engine: Engine) -> Iterator[threading.Event]:
    """The handler `gated` waits before it; open again at the end, so that nothing waits on."""
    registry.register(Gated)
    Gated.gate.clear()
    yield Gated.gate
    Gated.gate.set()
    registry.unregister("gated")


@pytest.fixture
async def client(owner: User, engine: Engine) -> AsyncJSONClient:
    """The owner's, over ASGI."""
    return await alogged_in(owner)
