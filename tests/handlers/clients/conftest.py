"""AWS as the tests have it: a region, credentials and a stand-in."""

from collections.abc import Iterator
from typing import Any

import pytest

from handlers.clients.bedrock_runtime import BedrockRuntimeClient
from handlers.clients.credentials import credential_search
from tests.standins.aws_auth import ACCESS_KEY, SECRET_KEY
from tests.standins.bedrock import BedrockStandIn


@pytest.fixture(autouse=True)
def credentials_as_set() -> Iterator[None]:
    """What one test has found out isn't true for the next."""
    credential_search.forget()
    yield
    credential_search.forget()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A region, and the stand-in's keys."""
    settings.AWS_REGION = "us-east-1"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)


@pytest.fixture
def bedrock(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[BedrockStandIn]:
    """The stand-in, where boto3 takes Bedrock to be."""
    server = BedrockStandIn()
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
    yield server
    server.stop()
    assert server.faults == []


@pytest.fixture
def client(bedrock: BedrockStandIn) -> Iterator[BedrockRuntimeClient]:
    made = BedrockRuntimeClient()
    yield made
    made.close()
