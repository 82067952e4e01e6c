"""What the samples need at the other end: Bedrock, OpenSearch and the tide tables, each there or away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web

from chats.engine import Engine
from handlers.clients import clients
from handlers.clients.credentials import credential_search
from tests.chats.live import login, make_user
from tests.samples.audience import Audience
from tests.samples.retrieving import DIMENSIONS
from tests.samples.stepping import TideTables
from tests.standins.aws_auth import ACCESS_KEY, SECRET_KEY
from tests.standins.bedrock import BedrockStandIn
from tests.standins.bedrock_invoke import embedding
from tests.standins.opensearch import OpenSearchStandIn
from tests.standins.server import ServerThread

TEXTS = {
    "moon": ("The moon", "The moon pulls the sea and makes the tides."),
    "salt": ("Salt", "Salt is won from the sea in flat ponds."),
    "bread": ("Bread", "Bread is made of flour, water and salt."),
}
PAGES = {
    identity: {
        "title": title,
        "text": text,
        "url": f"https://pages.example/{identity}",
        "embedding": embedding(text, DIMENSIONS),
    }
    for identity, (title, text) in TEXTS.items()
}


@pytest.fixture(autouse=True)
def _clients_of_this_test() -> Iterator[None]:
    """The clients are the process's: what one test's stand-in gave them is not the next one's."""
    credential_search.forget()
    yield
    clients.close_all()
    credential_search.forget()


@pytest.fixture
def bedrock(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[BedrockStandIn]:
    server = BedrockStandIn()
    server.start()
    settings.AWS_REGION = server.region
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
    yield server
    server.stop()
    assert server.faults == []


@pytest.fixture
def opensearch(settings: Any) -> Iterator[OpenSearchStandIn]:
    """With PAGES in its index, and their vectors."""
    server = OpenSearchStandIn()
    server.start()
    settings.OPENSEARCH_URL = server.url
    server.fill(PAGES)
    yield server
    server.stop()


class TideServer(ServerThread):
    """Knows every place but those in `broken`, and answers nothing about those in `silent`."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[str] = []
        self.left: list[str] = []  # asked about by a client that went away unanswered
        application = web.Application()
        application.router.add_get("/heights", self._heights)
        super().__init__(application, name="tide-tables")

    async def _heights(self, request: web.Request) -> web.Response:
        place = request.query["place"]
        self.asked.append(place)
        if place in self.broken:
            return web.Response(status=500, text="out of order, ask 10.0.0.7")
        if place in self.silent:
            try:
                await asyncio.sleep(3600)
            finally:
                self.left.append(place)
        return web.json_response({"03:10": 0.5, "09:20": len(place) / 2, "21:45": 0.25})


@pytest.fixture
def tides(settings: Any) -> Iterator[TideServer]:
    """The tide tables' service; its client is registered, as a project does in its AppConfig.ready."""
    clients.register("tide_tables", TideTables, missing=TideTables.missing)
    server = TideServer()
    server.start()
    settings.TIDE_TABLES_URL = server.url
    yield server
    server.stop()
    clients.unregister("tide_tables")


@pytest.fixture
def person(engine: Engine) -> Any:
    return make_user()


@pytest.fixture
def key(person: Any) -> str:
    return login(person)


@pytest.fixture
async def audience(engine: Engine, person: Any, key: str) -> AsyncIterator[Audience]:
    async with Audience(engine, person, key) as audience:
        yield audience
