"""The provider of OpenAI-compatible servers on the stand-in, for the contract suite."""

from typing import Any

from handlers.clients import clients
from handlers.models import ModelProvider, providers
from tests.contract.providers import ProviderUnderTest, SeenRequest
from tests.standins.openai import API_KEY, OpenAIStandIn


class OpenAIUnderTest(ProviderUnderTest):
    name = "openai"
    model_id = "stand-in-small"

    def start(self, settings: Any) -> None:
        self.server = OpenAIStandIn()
        self.server.start()
        settings.OPENAI_BASE_URL = self.server.base_url
        settings.OPENAI_API_KEY = API_KEY
        settings.WORKBENCH_OPENAI_MODELS = [self.model_id]

    def stop(self) -> None:
        clients.close_all()
        self.server.stop()

    @property
    def provider(self) -> ModelProvider:
        return next(provider for provider in providers.all() if provider.name == self.name)

    @property
    def seen(self) -> list[SeenRequest]:
        return [
            SeenRequest(
                body=entry.body,
                said=entry.said,
                status=entry.status,
                finished=entry.finished,
                closed_at=entry.closed_at,
                headers=entry.headers,
            )
            for entry in list(self.server.log)
        ]
