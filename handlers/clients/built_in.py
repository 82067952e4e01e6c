"""The clients that every deployment knows, whether it has configured them or not."""

from functools import partial

from handlers.clients.aws import AwsClient
from handlers.clients.bedrock_runtime import BedrockRuntimeClient
from handlers.clients.credentials import missing_credentials, missing_for_bedrock
from handlers.clients.metrics import metrics_client
from handlers.clients.openai import OpenAIClient, missing_server
from handlers.clients.opensearch import OpenSearchClient, missing_url
from handlers.clients.registry import ClientRegistry


def register_built_in_clients(clients: ClientRegistry) -> None:
    """Register bedrock_runtime, dynamodb, s3, opensearch, openai and metrics."""
    clients.register("bedrock_runtime", BedrockRuntimeClient, missing=missing_for_bedrock)
    for service in ("dynamodb", "s3"):
        clients.register(service, partial(AwsClient, service), missing=missing_credentials)
    clients.register("opensearch", OpenSearchClient, missing=missing_url)
    clients.register("openai", OpenAIClient, missing=missing_server)
    clients.register("metrics", lambda: metrics_client)
