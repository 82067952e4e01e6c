"""The client of an OpenSearch server."""

from typing import Any

from django.conf import settings

from handlers.clients.lazy import LazySyncClient


def missing_url() -> str | None:
    """What the client lacks."""
    return None if settings.OPENSEARCH_URL else "OPENSEARCH_URL isn't set."


class OpenSearchClient(LazySyncClient):
    """The server at OPENSEARCH_URL, with the user and password that the URL carries."""

    def _make(self) -> Any:
        from opensearchpy import OpenSearch

        return OpenSearch(settings.OPENSEARCH_URL)
