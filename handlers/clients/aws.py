"""boto3's clients for AWS services."""

from typing import Any

from django.conf import settings

from handlers.clients.lazy import LazySyncClient


def missing_region() -> str | None:
    """What AWS clients lack. Credentials aren't looked for here: that may ask the network."""
    return None if settings.AWS_REGION else "AWS_REGION isn't set."


class AwsClient(LazySyncClient):
    """One AWS service's client. Keys and endpoints (AWS_ENDPOINT_URL_…) are read by boto3 itself."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def _make(self) -> Any:
        import boto3

        # A session of its own: boto3's default one isn't safe to make clients from in several threads.
        return boto3.Session(region_name=settings.AWS_REGION).client(self._service)
