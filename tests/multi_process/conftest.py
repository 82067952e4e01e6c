"""Two servers on one PostgreSQL and one Redis, as behind a load balancer, and people with tokens."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.processes import ROOT, ServerProcess
from tests.workbench.conftest import bare_environment

PATIENCE = 30.0  # seconds
PEOPLE = 24
FOREVER = "1000000"  # what the handler is asked for when a test means to stop it
LIMIT = 3  # of starts a minute and of connections; every test has a person of its own


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(ROOT / "tests" / "multi_process"):
            item.add_marker(pytest.mark.postgres)
            item.add_marker(pytest.mark.redis)


@pytest.fixture(scope="session")
def environment():
    """Of a server on a database of its own, which is dropped at the end."""
    psycopg = pytest.importorskip("psycopg")
    server = os.environ["WORKBENCH_TEST_POSTGRES_URL"]
    name = f"processes_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield bare_environment(
            DATABASE_URL=f"{server.rpartition('/')[0]}/{name}",
            REDIS_URL=os.environ["WORKBENCH_TEST_REDIS_URL"],
            SECRET_KEY="for-tests-of-many-processes-" * 3,
            DJANGO_SETTINGS_MODULE="workbench.settings",
            WORKBENCH_EXTRA_HANDLERS="tests.multi_process.handlers.CountingHandler",
            WORKBENCH_MAX_STARTS_PER_MINUTE=str(LIMIT),
            WORKBENCH_MAX_SOCKETS_PER_USER=str(LIMIT),
        )
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def run(environment, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def people(environment):
    """Tokens, one for each test."""
    run(environment, "manage.py", "migrate", "--verbosity=0")
    made = json.loads(run(environment, "-m", "tests.faults.accounts", str(PEOPLE)))
    return itertools.chain(made, itertools.repeat(None))


def serve(environment):
    return ServerProcess("manage.py", "serve", "--host", "127.0.0.1", "--port", "0", environment=environment)


@pytest.fixture(scope="session")
def servers(environment, people):
    with ThreadPoolExecutor(2) as executor:
        started = list(executor.map(serve, [environment] * 2))
    yield started
    for server in started:
        server.kill()


@pytest.fixture
def token(people):
    person = next(people)
    assert person is not None, "there are too few people: raise PEOPLE"
    return person["token"]


@pytest.fixture
async def sites(servers, token):
    """The two servers, as one person sees them."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        yield [Site(server, http, headers) for server in servers]


class Site:
    """One server, by HTTP and websocket."""

    def __init__(self, server, http, headers):
        self.server, self._http, self._headers = server, http, headers

    def socket(self, query="", *, anonymous=False):
        return Socket(f"{self.server.socket_address}/ws/chat/{query}", {} if anonymous else self._headers)

    async def ask(self, method, path, body=None):
        """Status, headers and what the JSON says."""
        url = f"{self.server.address}{path}"
        async with self._http.request(method, url, json=body) as response:
            return response.status, response.headers, await response.json(content_type=None)


class Socket:
    """A websocket whose frames are kept by kind."""

    def __init__(self, url, headers):
        self._opening = connect(url, additional_headers=headers, max_size=None)
        self.events, self.through = {}, {}

    async def __aenter__(self):
        self._socket = await self._opening.__aenter__()
        return self

    async def __aexit__(self, *error):
        await self._opening.__aexit__(*error)

    async def send(self, kind, **fields):
        await self._socket.send(json.dumps({"type": kind, **fields}))

    async def start(self, count=FOREVER, **fields):
        """The frame `started`, or `error`."""
        body = {"request_id": str(uuid4()), "task": "counting", "parts": [{"content": count}]} | fields
        await self.send("start", **body)
        return await self.until(lambda frame: frame.get("request_id") == body["request_id"])

    async def until(self, wanted):
        """The first frame that is wanted; the events of all that come are kept, and join on to one another."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = json.loads(await self._socket.recv())
                if frame["type"] == "events":
                    self._keep(frame)
                if wanted(frame):
                    return frame

    async def until_kind(self, kind):
        return await self.until(lambda frame: frame["type"] == kind)

    async def until_event(self, kind):
        return await self.until(
            lambda frame: frame["type"] == "events" and any(event["type"] == kind for event in frame["events"])
        )

    def _keep(self, frame):
        response_id = frame["response_id"]
        assert frame["after"] == self.through.get(response_id, frame["after"])
        self.through[response_id] = frame["through"]
        self.events.setdefault(response_id, []).extend(frame["events"])

    def text(self, response_id):
        return "".join(event.get("content", "") for event in self.events[response_id])

    def numbers(self, response_id):
        return [event["sequence"] for event in self.events[response_id]]

    async def closing_code(self):
        async with asyncio.timeout(PATIENCE):
            try:
                while True:
                    await self._socket.recv()
            except ConnectionClosed:
                return self._socket.close_code
