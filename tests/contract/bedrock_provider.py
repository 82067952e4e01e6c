"""Bedrock's provider on the stand-in, for the contract suite."""

import os
from typing import Any

from handlers.clients import clients
from handlers.models import ModelProvider, providers
from tests.contract.providers import ProviderUnderTest, SeenRequest
from tests.standins.aws_auth import ACCESS_KEY, SECRET_KEY
from tests.standins.bedrock import BedrockStandIn, LoggedRequest


class BedrockUnderTest(ProviderUnderTest):
    name = "bedrock"
    model_id = "global.anthropic.claude-sonnet-5"

    def start(self, settings: Any) -> None:
        self.server = BedrockStandIn()
        self.server.start()
        settings.AWS_REGION = self.server.region
        self._environment = {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.server.url,
        }
        os.environ.update(self._environment)

    def stop(self) -> None:
        clients.close_all()
        for name in self._environment:
            os.environ.pop(name, None)
        self.server.stop()
        assert self.server.faults == []

    @property
    def provider(self) -> ModelProvider:
        return next(provider for provider in providers.all() if provider.name == self.name)

    @property
    def seen(self) -> list[SeenRequest]:
        return [_seen(entry) for entry in list(self.server.log)]


def _seen(entry: LoggedRequest) -> SeenRequest:
    return SeenRequest(
        body=entry.body,
        said=entry.said,
        status=entry.status,
        finished=entry.finished,
        closed_at=entry.closed_at,
    )
