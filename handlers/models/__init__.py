"""Model providers: one narrow seam between handlers and whatever makes text.

    async for event in provider_for(model_id).stream(request): ...

Owns the seam, the registry of providers, the built-in offline model, Bedrock and
servers that speak OpenAI's API. Which handler asks what is the
handler's. (`HandlerConfig` is here because Django looks for an app's tables in `<app>.models`; it lives in
handlers.config_store.)
"""

from handlers.clients import clients
from handlers.config_store import HandlerConfig
from handlers.models.bedrock import BedrockProvider
from handlers.models.offline import OfflineProvider
from handlers.models.openai_compatible import OpenAICompatibleProvider
from handlers.models.registry import ModelProviderRegistry
from handlers.models.seam import ModelDescription, ModelEvent, ModelMessage, ModelProvider, ModelRequest

__all__ = [
    "HandlerConfig",
    "ModelDescription",
    "ModelEvent",
    "ModelMessage",
    "ModelProvider",
    "ModelProviderRegistry",
    "ModelRequest",
    "available_models",
    "cost_facts",
    "describe_model",
    "provider_for",
    "providers",
]

providers = ModelProviderRegistry()
providers.register(OfflineProvider())
providers.register(BedrockProvider(clients))
providers.register(OpenAICompatibleProvider(clients))

available_models = providers.available_models
cost_facts = providers.cost_facts
describe_model = providers.describe
provider_for = providers.provider_for
