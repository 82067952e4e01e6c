"""The client of a server that speaks OpenAI's API: OpenAI itself, Ollama, vLLM, LM Studio, a gateway.

    call = client.chat({"model": …, "messages": […], "stream": True})
    try:
        while received := await call.take(patience): ...
    finally:
        call.stop()

Owns the connections (an aiohttp session for each event loop), the key, and what a failure on the wire is. What is sent
and what the bytes mean is handlers.models.openai_compatible's; which models there are is openai_catalogue's.
"""

import asyncio
import email.utils
import importlib
import json
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.conf import settings

from handlers.clients.failures import CallFailed
from handlers.clients.openai_catalogue import ModelCatalogue
from handlers.clients.per_loop import PerLoop
from handlers.errors import ClientUnavailable

if TYPE_CHECKING:
    import aiohttp

OPENAI = "https://api.openai.com/v1"
CONNECT_PATIENCE = 10.0  # seconds
END_PATIENCE = 0.2  # seconds that a connection gets to end its response, to be used again
LONGEST_REFUSAL = 64 << 10  # bytes of a refusal that are read
NOT_THE_API = "not_the_api"


def missing_server() -> str | None:
    """What the client lacks. A server of one's own may need no key; OpenAI's does."""
    if not settings.OPENAI_BASE_URL and not settings.OPENAI_API_KEY:
        return "OPENAI_BASE_URL isn't set."
    if is_openai() and not settings.OPENAI_API_KEY:
        return "OPENAI_API_KEY isn't set."
    return None


def base_url() -> str:
    """The server's address; OpenAI's when only a key is set."""
    return str(settings.OPENAI_BASE_URL or OPENAI).rstrip("/")


def is_openai() -> bool:
    """Whether the server is OpenAI's own, which has moved on from what the others still speak."""
    return base_url().startswith("https://api.openai.com/")


class OpenAIClient:
    """The server at OPENAI_BASE_URL, asked with OPENAI_API_KEY. Made once; each event loop has its own session."""

    def __init__(self) -> None:
        self._sessions: PerLoop[aiohttp.ClientSession] = PerLoop(_make_session, lambda session: session.close())
        self.catalogue = ModelCatalogue(_fetch_models)

    async def session(self) -> "aiohttp.ClientSession":
        """The running loop's session."""
        if "aiohttp" not in sys.modules:
            await asyncio.to_thread(importlib.import_module, "aiohttp")  # takes 0.2 s
        return self._sessions.get()

    def chat(self, body: Mapping[str, Any]) -> "ChatCall":
        """A chat/completions request, sent by its first `take`. Whoever makes it has to `stop` it."""
        return ChatCall(self, body)

    async def close_loop(self) -> None:
        """Close the running loop's session."""
        await self._sessions.close()

    def check_health(self) -> None:
        """Whether the server answers and takes the key; blocks. Raises ClientUnavailable with the reason."""
        try:
            _fetch_models()
        except CallFailed as failure:
            raise ClientUnavailable("openai", str(failure)) from failure


class ChatCall:
    """One request, on one event loop. Nothing in it is retried."""

    def __init__(self, client: OpenAIClient, body: Mapping[str, Any]) -> None:
        self._client = client
        self._body = body
        self._response: aiohttp.ClientResponse | None = None

    async def take(self, patience: float) -> bytes:
        """What has come of the event stream, at least a byte; empty at its end.

        Raises CallFailed, also when nothing comes for `patience` seconds. A cancel before the headers have come ends
        the connection; after that `stop` does.
        """
        session = await self._client.session()
        try:
            async with asyncio.timeout(patience):
                if self._response is None:
                    return await self._begin(session)
                return await self._response.content.readany()
        except (TimeoutError, OSError, ValueError, _client_error()) as error:
            raise failure_of(error, patience) from error

    async def settle(self) -> None:
        """After an answer's last word: let the response end, so that its connection serves the next request."""
        with suppress(CallFailed):
            await self.take(END_PATIENCE)

    def stop(self) -> None:
        """Close the connection, unless the response has been read to its end."""
        if self._response is not None:
            self._response.close()

    async def _begin(self, session: "aiohttp.ClientSession") -> bytes:
        url = f"{base_url()}/chat/completions"
        self._response = response = await session.post(url, json=self._body, headers=_headers(), allow_redirects=False)
        await _require_success(response)
        if response.content_type == "application/json":  # a server that doesn't stream this
            return b"data: " + json.dumps(await response.json()).encode() + b"\n\n"
        if response.content_type == "text/html":
            raise CallFailed("refused", f"{url} answers with a web page.", code=NOT_THE_API, status=response.status)
        return await response.content.readany()


def failure_of(error: BaseException, patience: float) -> CallFailed:
    """What an exception of aiohttp means; a ValueError is an address, a key or a body that can't be one."""
    import aiohttp

    words = f"{type(error).__name__}: {error}"
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return CallFailed("unreachable", words)
    if isinstance(error, aiohttp.InvalidURL):
        return CallFailed("invalid", f"OPENAI_BASE_URL isn't an address: {error}")
    if isinstance(error, TimeoutError):
        return CallFailed("silent", f"nothing came for {patience:g} seconds")
    if isinstance(error, ValueError):
        return CallFailed("invalid", words)
    return CallFailed("lost", words)


# --- the wire


def _client_error() -> type[Exception]:
    import aiohttp

    return aiohttp.ClientError


def _make_session() -> "aiohttp.ClientSession":
    import aiohttp

    # How long an answer may take is the caller's; how many there are at once, the process's limit of runs.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_PATIENCE),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=True,  # a proxy of the environment's
        read_bufsize=64 << 10,
    )


def _headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {settings.OPENAI_API_KEY}"} if settings.OPENAI_API_KEY else {}


async def _require_success(response: "aiohttp.ClientResponse") -> None:
    """Raises CallFailed with what the server says of its refusal; what it repeats of our key is left out."""
    if response.status == 200:
        return
    code, words = _refusal(await response.content.read(LONGEST_REFUSAL))
    if 300 <= response.status < 400:
        code, words = NOT_THE_API, f"It is elsewhere: {response.headers.get('Location', '')}"
    if settings.OPENAI_API_KEY:
        words = words.replace(settings.OPENAI_API_KEY, "…")
    raise CallFailed(
        "refused",
        f"{response.status} {words or response.reason}",
        code=code or str(response.status),
        status=response.status,
        retry_after=_seconds(response.headers),
    )


def _refusal(raw: bytes) -> tuple[str, str]:
    """Code and words of an error's body. OpenAI's shape, and those of servers that are only nearly like it."""
    try:
        said = json.loads(raw)
    except ValueError:
        return "", raw[:500].decode(errors="replace")
    if isinstance(said, dict):
        said = said.get("error") or said
    if not isinstance(said, dict):
        return "", str(said)[:500]
    words = said.get("message") or said.get("detail") or json.dumps(said)
    return str(said.get("code") or said.get("type") or ""), str(words)[:500]


def _seconds(headers: Mapping[str, str]) -> float | None:
    """When to come back, as the headers say: in milliseconds, in seconds or as a date."""
    with suppress(KeyError, ValueError):
        return float(headers["retry-after-ms"]) / 1000
    with suppress(KeyError, ValueError):
        return float(headers["Retry-After"])
    with suppress(KeyError, ValueError):
        return max(0.0, email.utils.parsedate_to_datetime(headers["Retry-After"]).timestamp() - time.time())
    return None


# --- the models


def _fetch_models() -> list[dict[str, Any]]:
    """The server's own list; blocks. Raises CallFailed."""
    return asyncio.run(_get_models())


async def _get_models() -> list[dict[str, Any]]:
    url = f"{base_url()}/models"
    try:
        async with (
            asyncio.timeout(CONNECT_PATIENCE),
            _make_session() as session,
            session.get(url, headers=_headers(), allow_redirects=False) as response,
        ):
            await _require_success(response)
            listed = (await response.json(content_type=None)) or {}
    except (TimeoutError, OSError, _client_error()) as error:
        raise failure_of(error, CONNECT_PATIENCE) from error
    except ValueError:
        raise CallFailed("refused", f"{url} answers with something that isn't JSON.", code=NOT_THE_API) from None
    models = listed.get("data") if isinstance(listed, dict) else None
    return [model for model in models or [] if isinstance(model, dict) and model.get("id")]
