"""The client of an OpenSearch server: with a user and password, or signed for AWS.

search = await client.get_async_client()     # this loop's AsyncOpenSearch
found = await search.search(index="notes", body={…})
"""

import importlib
import re
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from handlers.clients.credentials import credential_search, missing_credentials
from handlers.clients.lazy import LazySyncClient
from handlers.clients.per_loop import PerLoop
from handlers.errors import ClientUnavailable

TIMEOUT = 30  # seconds
CONNECTIONS = 50  # of a client to the server; further requests wait
_AWS_HOST = re.compile(r"\.(es|aoss)\.amazonaws\.com(\.cn)?$")


def missing_url() -> str | None:
    """What the client lacks."""
    if not settings.OPENSEARCH_URL:
        return "OPENSEARCH_URL isn't set."
    return missing_credentials() if signing_service() else None


def signing_service() -> str | None:
    """The AWS service that requests are signed for: the setting's, else the one that the host's name tells."""
    if settings.OPENSEARCH_AWS_SERVICE:
        return str(settings.OPENSEARCH_AWS_SERVICE)
    url = urlsplit(settings.OPENSEARCH_URL)
    match = _AWS_HOST.search(url.hostname or "")
    return match[1] if match and not url.username else None


class OpenSearchClient(LazySyncClient):
    """The server at OPENSEARCH_URL, with the user and password that the URL carries, or signed requests."""

    def __init__(self) -> None:
        super().__init__()
        self._per_loop: PerLoop[Any] = PerLoop(_make_async, lambda client: client.close())

    async def get_async_client(self) -> Any:
        """The running loop's AsyncOpenSearch: the one for handlers that don't block."""
        if "opensearchpy" not in sys.modules:
            await self.run(importlib.import_module, "opensearchpy")  # takes 0.3 s
        if signing_service():
            await self.run(credential_search.get)  # looking for them may take seconds, the first time
        return self._per_loop.get()

    async def close_loop(self) -> None:
        """Close the running loop's client."""
        await self._per_loop.close()

    def _make(self) -> Any:
        from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth

        return OpenSearch(settings.OPENSEARCH_URL, **_options(Urllib3AWSV4SignerAuth))

    def check_health(self) -> None:
        from opensearchpy import ConnectionError as Unreachable
        from opensearchpy import TransportError

        try:
            self.get_now().transport.perform_request("GET", "/")
        except Unreachable as error:
            raise ClientUnavailable("opensearch", f"The server doesn't answer ({error.error}).") from error
        except TransportError as error:
            # Serverless has no such page, and answers all the same.
            if error.status_code in {401, 403}:
                raise ClientUnavailable("opensearch", f"The server refuses us ({error.status_code}).") from error


def _make_async() -> Any:
    from opensearchpy import AsyncHttpConnection, AsyncOpenSearch, AWSV4SignerAsyncAuth

    # The default connection class can't take a signer.
    return AsyncOpenSearch(
        settings.OPENSEARCH_URL, connection_class=AsyncHttpConnection, **_options(AWSV4SignerAsyncAuth)
    )


def _options(signer: Callable[..., Any]) -> dict[str, Any]:
    options: dict[str, Any] = {"timeout": TIMEOUT, "maxsize": CONNECTIONS}
    if service := signing_service():
        options["http_auth"] = signer(credential_search.get(), settings.AWS_REGION, service)
    return options
