"""The built-in clients: available as configured, and really the SDKs' own."""

from typing import Any

import pytest

from handlers.clients.built_in import register_built_in_clients
from handlers.clients.credentials import NONE_FOUND
from handlers.clients.registry import ClientRegistry

AWS_CLIENTS = [("bedrock_runtime", "bedrock-runtime"), ("dynamodb", "dynamodb"), ("s3", "s3")]


@pytest.fixture
def clients() -> ClientRegistry:
    registry = ClientRegistry()
    register_built_in_clients(registry)
    return registry


def _reasons(clients: ClientRegistry) -> dict[str, str | None]:
    return {name: clients.availability(name).reason for name in clients.names()}


def test_without_settings_only_metrics_are_available(clients: ClientRegistry, settings: Any) -> None:
    settings.AWS_REGION = settings.OPENSEARCH_URL = settings.OPENAI_BASE_URL = settings.OPENAI_API_KEY = ""
    assert _reasons(clients) == {
        "bedrock_runtime": "AWS_REGION isn't set.",
        "dynamodb": "AWS_REGION isn't set.",
        "s3": "AWS_REGION isn't set.",
        "opensearch": "OPENSEARCH_URL isn't set.",
        "openai": "OPENAI_BASE_URL isn't set.",
        "metrics": None,
    }


def test_without_credentials_the_reason_says_what_to_do(clients: ClientRegistry, settings: Any) -> None:
    settings.AWS_REGION = "eu-central-1"
    settings.OPENSEARCH_URL = "https://search-notes.eu-central-1.es.amazonaws.com"
    assert _reasons(clients) == {
        "bedrock_runtime": NONE_FOUND,
        "dynamodb": NONE_FOUND,
        "s3": NONE_FOUND,
        "opensearch": NONE_FOUND,
        "openai": "OPENAI_BASE_URL isn't set.",
        "metrics": None,
    }


def test_bedrock_does_with_an_api_key(clients: ClientRegistry, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.AWS_REGION = "eu-central-1"
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "a-key")
    assert clients.availability("bedrock_runtime").available
    assert not clients.availability("s3").available


@pytest.mark.parametrize(("name", "service"), AWS_CLIENTS)
async def test_an_aws_client_is_boto3s_own_and_shared(
    clients: ClientRegistry, aws: None, name: str, service: str
) -> None:
    wrapper = clients.get(name)
    client = await wrapper.get_sync_client()
    assert (client.meta.service_model.service_name, client.meta.region_name) == (service, "us-east-1")
    assert await wrapper.get_sync_client() is client


async def test_bedrock_takes_as_many_connections_as_there_may_be_runs(
    clients: ClientRegistry, aws: None, settings: Any
) -> None:
    settings.WORKBENCH_MAX_RUNS = 77
    client = await clients.get("bedrock_runtime").get_sync_client()
    assert client.meta.config.max_pool_connections == 77
    assert client.meta.config.retries == {"mode": "standard", "total_max_attempts": 3}
