"""`manage.py check_clients` on a real socket."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from handlers.clients import clients
from handlers.clients.credentials import credential_search
from tests.standins.aws_auth import ACCESS_KEY, SECRET_KEY
from tests.standins.bedrock import BedrockStandIn


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[BedrockStandIn]:
    running = BedrockStandIn()
    running.start()
    settings.AWS_REGION = "us-east-1"
    for service in ("BEDROCK_RUNTIME", "DYNAMODB", "S3"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", running.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    credential_search.forget()
    yield running
    clients.close_all()
    credential_search.forget()
    running.stop()


def test_what_answers_is_ok_and_what_is_not_configured_says_what_it_lacks(server: BedrockStandIn) -> None:
    out = StringIO()
    call_command("check_clients", stdout=out, no_color=True)
    assert "bedrock_runtime: ok" in out.getvalue()
    assert "opensearch: not configured (OPENSEARCH_URL isn't set.)" in out.getvalue()


def test_one_that_does_not_answer_is_named(server: BedrockStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    out = StringIO()
    with pytest.raises(CommandError, match=r"Not answering: s3\."):
        call_command("check_clients", stdout=out, no_color=True)
    assert "s3: http://127.0.0.1:9 doesn't answer (EndpointConnectionError)." in out.getvalue()
