"""The tool `fetch_url`: a text from the web, and nothing of the network that this machine is in.

Owns what may be asked for (scheme, host, port), which addresses may be connected to, and how long and how large a
response may be. Every address is checked where its socket is made, so that neither a redirect nor a name whose address
changes between two look-ups leads anywhere else. No proxy is used: it would connect in our place.
"""

import asyncio
import importlib
import logging
import re
import socket
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import SplitResult, urljoin, urlsplit

from pydantic import Field

from handlers.tools.addresses import is_public
from handlers.tools.page_text import page_text
from handlers.tools.threads import threads
from handlers.tools.typed import Tool, ToolError

if TYPE_CHECKING:
    import aiohttp

logger = logging.getLogger(__name__)

# What lies behind a name stays untold: it would map the network.
NOT_PUBLIC = "This host isn't one of the open internet, and can't be fetched from."
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")  # two parsers of URLs can't differ over such a one
_HOST_PATTERN = re.compile(rf"(?:\*\.)?{_HOST.pattern}(?::[0-9]{{1,5}})?")
_PORTS = {"http": 80, "https": 443}
_TEXTS = frozenset(
    {"application/json", "application/xml", "application/xhtml+xml", "application/yaml", "application/x-ndjson"}
)
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
#: Encodings whose decoding is slow, or that aren't characters' encodings at all.
_STRANGE = frozenset(
    {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf_7", "unicode-escape"}
)


@dataclass(frozen=True, kw_only=True)
class FetchLimits:
    """`seconds` for the whole fetch, redirects included; `bytes` of the body that are read; `redirects` followed."""

    seconds: float = 15.0
    bytes: int = 500_000
    redirects: int = 4


class Fetcher:
    """Fetches from allowed hosts: `example.org`, `*.example.org` (what is below it), each with `:port` if it isn't the
    scheme's own. `may_connect` says of each literal address whether it may be used."""

    def __init__(
        self,
        hosts: Iterable[str],
        *,
        limits: FetchLimits | None = None,
        may_connect: Callable[[str], bool] = is_public,
        resolver: "aiohttp.abc.AbstractResolver | None" = None,
    ) -> None:
        self._hosts = [host.strip().lower().rstrip(".") for host in hosts]
        self._limits = limits or FetchLimits()
        self._may_connect = may_connect
        self._resolver = resolver

    async def fetch(self, url: str) -> dict[str, Any]:
        """Where the text was found in the end, its content type and the text. Raises ToolError."""
        if "aiohttp" not in sys.modules:
            await asyncio.to_thread(importlib.import_module, "aiohttp")  # takes 0.2 s
        import aiohttp

        parts = self._checked(url)
        refused: list[str] = []
        try:
            async with asyncio.timeout(self._limits.seconds), self._session(refused) as session:
                return await self._followed(session, parts)
        except TimeoutError:
            raise ToolError(f"{parts.hostname} didn't answer within {self._limits.seconds:g} seconds.") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if refused and isinstance(error, OSError):
                logger.warning("fetch_url: a host led to %s, which isn't public; refused.", ", ".join(refused))
                raise ToolError(NOT_PUBLIC) from None
            raise ToolError(_words_for(error, parts)) from error

    # --- what may be asked for

    def _checked(self, url: str) -> SplitResult:
        """The address's parts. Raises ToolError unless it may be asked for."""
        try:
            parts = urlsplit(url.strip())
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            raise ToolError("This isn't a URL.") from None
        if parts.scheme not in _PORTS or not host:
            raise ToolError("Only URLs that begin with http:// or https:// can be fetched.")
        if parts.username is not None or parts.password is not None:
            raise ToolError("A URL with a user's name or password can't be fetched.")
        if not _HOST.fullmatch(host):
            raise ToolError(f"{host} isn't a host's name.")
        own_port = port is None or port == _PORTS[parts.scheme]
        wanted = host if own_port else f"{host}:{port}"
        if not any(_matches(wanted, pattern) for pattern in self._hosts):
            raise ToolError(f"{wanted} isn't among the hosts that may be fetched from: {', '.join(self._hosts)}.")
        return parts

    # --- the wire

    def _session(self, refused: list[str]) -> "aiohttp.ClientSession":
        """For one fetch. `refused` is told the addresses that may not be connected to."""
        import aiohttp

        def new_socket(address: Any) -> socket.socket:
            """For the address that is about to be connected to, whichever way it was found."""
            family, kind, protocol, _, where = address
            if not self._may_connect(str(where[0])):
                refused.append(str(where[0]))
                raise OSError("not a public address")
            return socket.socket(family, kind, protocol)

        connector = aiohttp.TCPConnector(
            resolver=self._resolver, use_dns_cache=False, force_close=True, socket_factory=new_socket
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers={
                "User-Agent": "chat-workbench",
                "Accept": "text/*, application/json",
                "Accept-Encoding": "identity",
            },
        )

    async def _followed(self, session: "aiohttp.ClientSession", parts: SplitResult) -> dict[str, Any]:
        for _ in range(self._limits.redirects + 1):
            async with session.get(parts.geturl(), allow_redirects=False) as response:
                location = response.headers.get("Location")
                if response.status in REDIRECTS and location:
                    parts = self._checked(urljoin(parts.geturl(), location))
                    continue
                if response.status >= 400:
                    raise ToolError(f"{parts.hostname} answered with status {response.status}.")
                return {"url": parts.geturl(), **await self._read(response)}
        raise ToolError(f"This leads on and on: more than {self._limits.redirects} redirects.")

    async def _read(self, response: "aiohttp.ClientResponse") -> dict[str, Any]:
        content_type = response.content_type.lower() if "Content-Type" in response.headers else ""
        if not (content_type.startswith("text/") or content_type in _TEXTS or content_type.endswith(("+json", "+xml"))):
            raise ToolError(f"Only texts can be fetched; this is {content_type or 'of no stated type'}.")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise ToolError("The server only sends this compressed, which isn't read.")
        read = bytearray()
        async for chunk in response.content.iter_chunked(64 << 10):
            read += chunk
            if len(read) > self._limits.bytes:
                break
        whole = len(read) <= self._limits.bytes
        text = _decoded(bytes(read[: self._limits.bytes]), response.charset)
        if content_type in _PAGES:
            # Not the loop's own threads: names are looked up in those, by everybody.
            text = await asyncio.wrap_future(threads.submit(partial(page_text, text)))
        note = {} if whole else {"note": f"Only the first {self._limits.bytes:,} bytes were read."}
        return {"content_type": content_type, "text": text, **note}


def _matches(wanted: str, pattern: str) -> bool:
    host, _, port = wanted.partition(":")
    of_host, _, of_port = pattern.partition(":")
    if port != of_port:
        return False
    return host.endswith(of_host[1:]) and host != of_host[2:] if of_host.startswith("*.") else host == of_host


def _words_for(error: Exception, parts: SplitResult) -> str:
    """In words for the model."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return f"{parts.hostname} couldn't prove who it is (its certificate)."
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{parts.hostname} can't be reached."
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return "This isn't a URL that can be fetched."
    return f"The connection to {parts.hostname} broke off."


def _decoded(raw: bytes, charset: str | None) -> str:
    try:
        return raw.decode("utf-8" if (charset or "").lower() in {"", *_STRANGE} else str(charset), "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


def fetch_tool(fetcher: Fetcher) -> Tool:
    """The tool, for these hosts and limits."""

    async def fetch_url(
        url: Annotated[str, Field(description="A URL that begins with https:// or http://", max_length=2000)],
    ) -> dict[str, Any]:
        """Fetch a text from the web: a page (as plain text), JSON or another text document."""
        return await fetcher.fetch(url)

    return Tool(fetch_url)


def require_host_pattern(pattern: str) -> str:
    """The pattern as it is compared. Raises ValueError for what could never match, like a URL."""
    plain = pattern.strip().lower().rstrip(".")
    if not _HOST_PATTERN.fullmatch(plain):
        raise ValueError(f"{pattern!r} isn't a host: write example.org, *.example.org or example.org:8443")
    return plain
