"""The tool `fetch_url`: what it reads, and all that it doesn't."""

import asyncio
import gzip
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from handlers.tools import ToolError, fetching
from handlers.tools.fetching import NOT_PUBLIC, Fetcher, FetchLimits, fetch_tool, require_host_pattern
from tests.standins.server import ServerThread

PAGE = "<html><head><title>Tides</title></head><body><p>High and low.</p></body></html>"


class Web(ServerThread):
    """A small site. `asked` has the paths of the requests that came."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        application = web.Application(client_max_size=1 << 20)
        application.router.add_get("/{path:.*}", self._answer)
        super().__init__(application, name="web")

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.asked.append(path)
        self.headers.append(dict(request.headers))
        if path == "to":
            raise web.HTTPFound(request.query["where"])
        if path == "slow":
            await asyncio.sleep(3600)
        if path == "endless":
            return await self._endless(request)
        if path == "squeezed":
            return web.Response(
                body=gzip.compress(b"x"), headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"}
            )
        bodies = {
            "page": (PAGE.encode(), "text/html; charset=utf-8"),
            "json": (b'{"tide": "high"}', "application/json"),
            "latin": ("Größe".encode("latin-1"), "text/plain; charset=iso-8859-1"),
            "odd": ("Größe".encode(), "text/plain; charset=idna"),
            "image": (b"\x89PNG", "image/png"),
        }
        if path not in bodies:
            raise web.HTTPNotFound
        body, content_type = bodies[path]
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        while True:
            await response.write(b"wave " * 2000)


class Names(AbstractResolver):
    """Every name leads to these addresses, one list for each look-up; the last one for all that follow."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in addresses
        ]

    async def close(self) -> None:
        """There is nothing to close."""


@pytest.fixture
def site() -> Iterator[Web]:
    server = Web()
    server.start()
    yield server
    server.stop()


def _fetcher(site: Web, *hosts: str, **values: Any) -> Fetcher:
    """One for which the site's address is public, and only that."""
    chosen = [f"{host}:{site.port}" for host in hosts or ("site.example",)]
    limits = FetchLimits(**values.pop("limits", {}))
    given = {"resolver": Names(["127.0.0.1"]), "may_connect": lambda address: address == "127.0.0.1", **values}
    return Fetcher(chosen, limits=limits, **given)


async def _refusal(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(ToolError) as caught:
        await fetcher.fetch(url)
    return str(caught.value)


# --- what it reads


async def test_a_page_is_read_in_a_thread_of_the_tools(site: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "page_text", lambda html: threading.current_thread().name)
    found = await _fetcher(site).fetch(f"http://site.example:{site.port}/page")
    assert found["text"] == "tool"


async def test_a_page_is_read_as_text(site: Web) -> None:
    url = f"http://site.example:{site.port}/page"
    assert await _fetcher(site).fetch(url) == {
        "url": url,
        "content_type": "text/html",
        "text": "Tides\n\nHigh and low.",
    }


@pytest.mark.parametrize(("path", "text"), [("json", '{"tide": "high"}'), ("latin", "Größe"), ("odd", "Größe")])
async def test_texts_are_read_as_they_are(site: Web, path: str, text: str) -> None:
    assert (await _fetcher(site).fetch(f"http://site.example:{site.port}/{path}"))["text"] == text


async def test_it_sends_no_cookie_and_says_who_it_is(site: Web) -> None:
    await _fetcher(site).fetch(f"http://site.example:{site.port}/page#part")
    assert site.headers[0]["User-Agent"] == "chat-workbench"
    assert "Cookie" not in site.headers[0]


async def test_redirects_between_allowed_hosts_are_followed(site: Web) -> None:
    fetcher = _fetcher(site, "one.example", "*.two.example")
    url = f"http://one.example:{site.port}/to?where=http://www.two.example:{site.port}/to?where=/json"
    assert (await fetcher.fetch(url))["url"] == f"http://www.two.example:{site.port}/json"


async def test_only_the_beginning_of_something_long_is_read(site: Web) -> None:
    read = await _fetcher(site, limits={"bytes": 1000}).fetch(f"http://site.example:{site.port}/endless")
    assert read["text"] == "wave " * 200
    assert read["note"] == "Only the first 1,000 bytes were read."


def test_the_tool_says_what_it_takes() -> None:
    made = fetch_tool(Fetcher(["example.org"]))
    assert made.name == "fetch_url"
    assert set(made.schema["properties"]) == {"url"}


# --- what it doesn't


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc/passwd", "begin with http"),
        ("ftp://site.example/x", "begin with http"),
        ("gopher://site.example", "begin with http"),
        ("//site.example/x", "begin with http"),
        ("no URL at all", "begin with http"),
        ("http://[::1", "isn't a URL"),
        ("http://site.example:99999/", "isn't a URL"),
        ("http://me:secret@site.example/", "name or password"),
        ("http://site.example/", "isn't among the hosts"),  # not on this port
        ("http://other.example:{port}/", "isn't among the hosts"),
        ("http://www.site.example:{port}/", "isn't among the hosts"),
        ("http://site.example.evil.example:{port}/", "isn't among the hosts"),
        ("http://evil.example:{port}/?site.example", "isn't among the hosts"),
        ("http://evil.example\\@site.example:{port}/", "name or password"),
        ("http://127.0.0.1:{port}/", "isn't among the hosts"),
        ("http://evil.example\\.below.example:{port}/", "isn't a host's name"),
        ("http://evil.example%2F.below.example:{port}/", "isn't a host's name"),
        ("http://[::1]:{port}/", "isn't a host's name"),
        ("http://bücher.example:{port}/", "isn't a host's name"),
        ("http://2130706433:{port}/", "isn't among the hosts"),
    ],
)
async def test_what_may_not_be_asked_for_is_never_asked(site: Web, url: str, words: str) -> None:
    fetcher = _fetcher(site, "site.example", "*.below.example")
    refusal = await _refusal(fetcher, url.format(port=site.port))
    assert words in refusal
    assert site.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "site.example"])
async def test_an_allowed_host_that_is_not_of_the_open_internet_is_refused(site: Web, host: str) -> None:
    fetcher = Fetcher([f"{host}:{site.port}"], resolver=Names(["127.0.0.1"]))
    assert await _refusal(fetcher, f"http://{host}:{site.port}/page") == NOT_PUBLIC
    assert site.asked == []


async def test_a_redirect_into_the_own_network_is_refused(site: Web) -> None:
    fetcher = _fetcher(site, "site.example", "169.254.169.254")
    url = f"http://site.example:{site.port}/to?where=http://169.254.169.254:{site.port}/latest/meta-data"
    assert await _refusal(fetcher, url) == NOT_PUBLIC
    assert site.asked == ["to"]


@pytest.mark.parametrize(
    "where", ["http://other.example/", "file:///etc/passwd", "http://me:x@site.example/", "http://[::"]
)
async def test_a_redirect_is_checked_like_the_first_address(site: Web, where: str) -> None:
    await _refusal(_fetcher(site), f"http://site.example:{site.port}/to?where={where}")
    assert site.asked == ["to"]


async def test_a_name_whose_address_changes_is_refused_when_it_is_connected_to(site: Web) -> None:
    names = Names(["127.0.0.1"], ["127.0.0.2"])  # allowed at the first look-up, not at the second
    url = f"http://site.example:{site.port}/to?where=/page"
    assert await _refusal(_fetcher(site, resolver=names), url) == NOT_PUBLIC
    assert site.asked == ["to"]


async def test_of_a_names_addresses_only_public_ones_are_connected_to(site: Web) -> None:
    names = Names(["127.0.0.2", "127.0.0.1"])
    assert (await _fetcher(site, resolver=names).fetch(f"http://site.example:{site.port}/json"))["text"]


async def test_redirects_have_an_end(site: Web) -> None:
    url = f"http://site.example:{site.port}/to?where=/to?where=/to"
    fetcher = _fetcher(site, limits={"redirects": 1})
    assert "more than 1 redirects" in await _refusal(fetcher, url)
    assert len(site.asked) == 2


async def test_a_server_that_is_silent_is_given_up(site: Web) -> None:
    refusal = await _refusal(_fetcher(site, limits={"seconds": 0.2}), f"http://site.example:{site.port}/slow")
    assert refusal == "site.example didn't answer within 0.2 seconds."


@pytest.mark.parametrize(
    ("path", "words"),
    [("image", "this is image/png"), ("squeezed", "compressed"), ("missing", "answered with status 404")],
)
async def test_what_is_no_text_is_said(site: Web, path: str, words: str) -> None:
    assert words in await _refusal(_fetcher(site), f"http://site.example:{site.port}/{path}")


async def test_a_host_that_cannot_be_reached_is_said_without_its_address(site: Web) -> None:
    site_gone = socket.socket()
    site_gone.bind(("127.0.0.1", 0))  # bound, and nobody listens
    port = site_gone.getsockname()[1]
    fetcher = Fetcher([f"gone.example:{port}"], resolver=Names(["127.0.0.1"]), may_connect=lambda _: True)
    assert await _refusal(fetcher, f"http://gone.example:{port}/") == "gone.example can't be reached."
    site_gone.close()


@pytest.mark.parametrize("pattern", ["https://example.org", "example.org/path", "*", "*.", "", "a b", "ex*mple.org"])
def test_what_is_no_host_is_refused_when_it_is_set(pattern: str) -> None:
    with pytest.raises(ValueError, match="isn't a host"):
        require_host_pattern(pattern)


@pytest.mark.parametrize("pattern", ["Example.ORG", "*.example.org", "example.org:8443", "localhost"])
def test_hosts_are_taken(pattern: str) -> None:
    assert require_host_pattern(pattern) == pattern.lower()
