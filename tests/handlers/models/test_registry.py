"""Providers by name, models by id."""

from collections.abc import AsyncGenerator

import pytest

from handlers.errors import ModelUnavailable
from handlers.models import ModelDescription, ModelEvent, ModelProvider, ModelProviderRegistry, ModelRequest


class Shelf(ModelProvider):
    name = "shelf"

    def models(self) -> list[ModelDescription]:
        return [
            ModelDescription(id="here", label="Here", provider=self.name),
            ModelDescription(id="gone", label="Gone", provider=self.name, available=False, reason="KEY isn't set."),
        ]

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        yield {"messageStop": {"stopReason": "end_turn"}}


@pytest.fixture
def providers() -> ModelProviderRegistry:
    registry = ModelProviderRegistry()
    registry.register(Shelf())
    return registry


def test_all_models_are_listed_with_their_reasons(providers: ModelProviderRegistry) -> None:
    assert [(model.id, model.reason) for model in providers.available_models()] == [
        ("here", None),
        ("gone", "KEY isn't set."),
    ]


def test_a_model_is_found_at_its_provider(providers: ModelProviderRegistry) -> None:
    assert providers.provider_for("here").name == "shelf"


def test_a_model_that_cannot_be_used_keeps_the_reason_from_users(providers: ModelProviderRegistry) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        providers.provider_for("gone")
    assert (caught.value.message, caught.value.detail) == (
        "The model “Gone” isn't available at the moment.",
        "KEY isn't set.",
    )


def test_an_unknown_model_is_named(providers: ModelProviderRegistry) -> None:
    with pytest.raises(ModelUnavailable, match="no model “gpt”"):
        providers.provider_for("gpt")


def test_a_taken_provider_name_is_refused(providers: ModelProviderRegistry) -> None:
    with pytest.raises(ValueError, match="shelf"):
        providers.register(Shelf())
