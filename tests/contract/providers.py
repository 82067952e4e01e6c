"""A model provider under test: what the contract's cases (test_providers.py) need of it and of its stand-in.

To have another provider tested: subclass ProviderUnderTest in a module of its own, and name it in PROVIDERS.
"""

import importlib
import time
from abc import ABC, abstractmethod
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from handlers.models import ModelEvent, ModelProvider, ModelRequest
from tests.standins.behaviour import Behaviour, ask_for

#: Where each provider's class is, as module:class. What can't be imported fails its tests, not the others'.
PROVIDERS = {
    "bedrock": "tests.contract.bedrock_provider:BedrockUnderTest",
    "openai": "tests.contract.openai_provider:OpenAIUnderTest",
}


@dataclass
class SeenRequest:
    """A request as the stand-in saw it. `closed_at` is time.monotonic()'s, when the client's connection went away
    before the answer was whole; `finished` that the answer was sent to its end."""

    body: dict[str, Any]
    said: int = 0
    status: int = 0
    finished: bool = False
    closed_at: float | None = None
    headers: dict[str, str] = field(default_factory=dict)


class ProviderUnderTest(ABC):
    """Made once for each test. `start` and `stop` are called outside of any event loop."""

    name: str
    model_id: str

    @abstractmethod
    def start(self, settings: Any) -> None:
        """Start the stand-in, and have the product's settings (pytest-django's fixture) lead to it."""

    @abstractmethod
    def stop(self) -> None:
        """End what `start` began, the provider's clients included."""

    @property
    @abstractmethod
    def provider(self) -> ModelProvider:
        """The product's provider, as it is registered."""

    @property
    @abstractmethod
    def seen(self) -> list[SeenRequest]:
        """The requests so far, in the order of their arrival."""

    def request(self, behaviour: Behaviour | None = None, **values: Any) -> ModelRequest:
        """A request that the stand-in answers in this way. `values` are further fields of ModelRequest."""
        messages = [{"role": "user", "content": [{"text": ask_for(behaviour or Behaviour())}]}]
        return ModelRequest(**{"model_id": self.model_id, "messages": messages, **values})

    async def answer(self, behaviour: Behaviour | None = None, **values: Any) -> list[ModelEvent]:
        """All events of the answer to such a request."""
        async with aclosing(self.provider.stream(self.request(behaviour, **values))) as stream:
            return [event async for event in stream]

    def wait_until_closed(self, number: int, patience: float = 5.0) -> float | None:
        """When the stand-in saw request `number`'s connection go away; None when it didn't, for all our patience."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if len(self.seen) > number and self.seen[number].closed_at is not None:
                return self.seen[number].closed_at
            time.sleep(0.002)
        return None


def under_test(name: str) -> ProviderUnderTest:
    """The provider of this name, not started."""
    module, _, wanted = PROVIDERS[name].partition(":")
    found: type[ProviderUnderTest] = getattr(importlib.import_module(module), wanted)
    return found()


def text_of(events: list[ModelEvent]) -> str:
    """The answer's text."""
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    return "".join(delta.get("text", "") for delta in deltas)
