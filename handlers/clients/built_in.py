"""The clients that every deployment knows, whether it has configured them or not."""

from functools import partial

from handlers.clients.aws import AwsClient, missing_region
from handlers.clients.metrics import MetricsClient
from handlers.clients.opensearch import OpenSearchClient, missing_url
from handlers.clients.registry import ClientRegistry

AWS_SERVICES = {"bedrock_runtime": "bedrock-runtime", "dynamodb": "dynamodb", "s3": "s3"}


def register_built_in_clients(clients: ClientRegistry) -> None:
    """Register bedrock_runtime, dynamodb, s3, opensearch and metrics."""
    for name, service in AWS_SERVICES.items():
        clients.register(name, partial(AwsClient, service), missing=missing_region)
    clients.register("opensearch", OpenSearchClient, missing=missing_url)
    clients.register("metrics", MetricsClient)
