"""An owner, a stranger and nobody, a chat with an answer in it, and a running engine where one is asked for."""

from collections.abc import Iterator

import pytest

from chats.engine import Engine, get_engine
from chats.models import Chat, Message
from tests.chats.api.makers import END, JSONClient, logged_in, make_response, start_of, text
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
