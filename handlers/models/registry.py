"""Model providers by name, and models by id."""

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.errors import ModelUnavailable
from handlers.models import prices
from handlers.models.seam import ModelDescription, ModelProvider

UNKNOWN = "There is no model “{}”. Please choose another one."


class ModelProviderRegistry:
    """The providers of one process, in the order of their registration."""

    def __init__(self) -> None:
        self._providers: dict[str, ModelProvider] = {}

    def register(self, provider: ModelProvider) -> None:
        """Add a provider. Raises ValueError for a taken name."""
        if provider.name in self._providers:
            raise ValueError(f"A model provider named {provider.name!r} is registered already.")
        self._providers[provider.name] = provider

    def unregister(self, name: str) -> None:
        """Take a provider away; for tests."""
        self._providers.pop(name, None)

    def all(self) -> list[ModelProvider]:
        """The providers themselves."""
        return list(self._providers.values())

    def available_models(self) -> list[ModelDescription]:
        """All models that are known, each saying whether it can be used, and if not, why."""
        return [description for _, description in self._offers()]

    def describe(self, model_id: str) -> ModelDescription:
        """The model of this id, available or not. Raises ModelUnavailable when there is none."""
        for _, description in self._offers():
            if description.id == model_id:
                return description
        raise ModelUnavailable(UNKNOWN.format(model_id))

    def provider_for(self, model_id: str) -> ModelProvider:
        """The provider of this model. Raises ModelUnavailable when there is none, or it can't be used now."""
        for provider, description in self._offers():
            if description.id == model_id:
                if description.available:
                    return provider
                raise ModelUnavailable(
                    f"The model “{description.label}” isn't available at the moment.", detail=description.reason or ""
                )
        raise ModelUnavailable(UNKNOWN.format(model_id))

    def cost_facts(self, model_id: str, usage: Mapping[str, Any]) -> dict[str, Any]:
        """What an answer of this model cost, for its MetadataEvent: {"cost": {"amount", "currency", "priced_at"}}.

        `usage` is ModelAnswer's; without one there is nothing to say. The cost is None, "unknown", for a model that
        nobody has priced.
        """
        if not usage:
            return {}
        for provider, description in self._offers():
            if description.id == model_id:
                return {"cost": prices.cost_of(model_id, usage, sold_by=provider.sold_by)}
        return {"cost": None}

    def _offers(self) -> Iterator[tuple[ModelProvider, ModelDescription]]:
        for provider in list(self._providers.values()):
            for description in provider.models():
                yield provider, description
