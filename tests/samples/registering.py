"""Registration in code, by one who makes the instances: where a client is missing, so is its handler."""

import logging

from handlers.clients.registry import ClientRegistry
from handlers.registry import TaskHandlerRegistry
from tests.samples.asking import PlainQuestion
from tests.samples.retrieving import PageReader

logger = logging.getLogger(__name__)


def register_samples(registry: TaskHandlerRegistry, clients: ClientRegistry) -> TaskHandlerRegistry:
    """What a project does in its AppConfig.ready when it doesn't leave injection to the registry."""
    if clients.availability("bedrock_runtime").available:
        registry.register(PlainQuestion(clients.get("bedrock_runtime")))
        logger.info("PlainQuestion is registered.")
    else:
        logger.warning("PlainQuestion isn't registered: it needs Bedrock.")
    if clients.availability("opensearch").available and clients.availability("bedrock_runtime").available:
        registry.register(PageReader(clients.get("opensearch"), clients.get("bedrock_runtime")))
    else:
        logger.warning("PageReader isn't registered: it needs OpenSearch and Bedrock.")
    return registry
