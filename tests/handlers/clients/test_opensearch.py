"""The client of OpenSearch: whose password, whose signature, whose loop. The unmodified SDK on a real socket."""

import asyncio
import base64
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from handlers.clients.opensearch import OpenSearchClient, signing_service
from handlers.errors import ClientUnavailable
from tests.standins.aws_auth import check_authorization
from tests.standins.bedrock_rules import Refused


class Server:
    """Answers every search alike, to whom it should. `scope`: what requests have to be signed for; else a password."""

    def __init__(self) -> None:
        self.scope: tuple[str, str] | None = None
        self.requests: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.1)
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        self.port = self._runner.addresses[0][1]

    def _application(self) -> web.Application:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    async def _start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def _answer(self, request: web.Request) -> web.Response:
        self.requests.append(request.path)
        body, url = await request.read(), f"http://{request.host}{request.raw_path}"
        if self.scope:
            try:
                check_authorization(request.method, url, request.headers, body, self.scope)
            except Refused as refused:
                return web.json_response({"error": refused.words, "status": 403}, status=403)
        elif request.headers.get("Authorization") != f"Basic {base64.b64encode(b'ann:p@ss').decode()}":
            return web.json_response({"error": "Unauthorized", "status": 401}, status=401)
        return web.json_response({"hits": {"total": {"value": 1}, "hits": []}})

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    running = Server()
    settings.OPENSEARCH_URL = f"http://ann:p%40ss@127.0.0.1:{running.port}"
    yield running
    running.stop()


@pytest.fixture
def client() -> Iterator[OpenSearchClient]:
    made = OpenSearchClient()
    yield made
    made.close()


async def _search(client: OpenSearchClient) -> int:
    found = await (await client.get_async_client()).search(index="a b,c", body={"query": {"match_all": {}}})
    await client.close_loop()
    return int(found["hits"]["total"]["value"])


async def test_the_urls_user_and_password_are_used_by_both_clients(server: Server, client: OpenSearchClient) -> None:
    assert await _search(client) == 1
    assert (await client.call("search", index="notes"))["hits"]["total"]["value"] == 1


@pytest.mark.parametrize("service", ["es", "aoss"])
async def test_requests_are_signed_for_the_service_by_both_clients(
    server: Server, client: OpenSearchClient, aws: None, settings: Any, service: str
) -> None:
    settings.OPENSEARCH_URL = f"http://127.0.0.1:{server.port}"
    settings.OPENSEARCH_AWS_SERVICE = service
    server.scope = ("us-east-1", service)
    assert await _search(client) == 1
    assert (await client.call("search", index="notes"))["hits"]["total"]["value"] == 1


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("https://search-notes.eu-west-1.es.amazonaws.com", "es"),
        ("https://abc.eu-west-1.aoss.amazonaws.com", "aoss"),
        ("https://search-notes.cn-north-1.es.amazonaws.com.cn", "es"),
        ("https://ann:secret@search-notes.eu-west-1.es.amazonaws.com", None),
        ("https://search.example.org", None),
    ],
)
def test_the_hosts_name_tells_what_to_sign_for(settings: Any, url: str, service: str | None) -> None:
    settings.OPENSEARCH_URL = url
    assert signing_service() == service


def test_each_loop_has_a_client_of_its_own(server: Server, client: OpenSearchClient) -> None:
    assert asyncio.run(_search(client)) == 1
    assert asyncio.run(_search(client)) == 1


def test_health_is_an_answer_to_us(server: Server, client: OpenSearchClient, settings: Any) -> None:
    client.check_health()
    settings.OPENSEARCH_URL = f"http://ann:wrong@127.0.0.1:{server.port}"
    client.close()
    with pytest.raises(ClientUnavailable, match="refuses us"):
        client.check_health()
    settings.OPENSEARCH_URL = "http://127.0.0.1:9"
    client.close()
    with pytest.raises(ClientUnavailable, match="doesn't answer"):
        client.check_health()
