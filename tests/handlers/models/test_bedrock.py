"""Bedrock's provider where it is itself; what it shares with other providers is the contract suite's."""

from collections.abc import Iterator
from typing import Any

import pytest

from handlers.clients import ClientRegistry
from handlers.clients.built_in import register_built_in_clients
from handlers.clients.credentials import NONE_FOUND, credential_search
from handlers.errors import ModelError, ModelUnavailable
from handlers.models import ModelEvent, ModelRequest
from handlers.models.bedrock import BedrockProvider
from handlers.models.translation import ModelAnswer, Source
from tests.standins.aws_auth import ACCESS_KEY, API_KEY, SECRET_KEY
from tests.standins.bedrock import BedrockStandIn

CLAUDE = "global.anthropic.claude-sonnet-5"


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[BedrockStandIn]:
    running = BedrockStandIn()
    running.start()
    settings.AWS_REGION = "us-east-1"
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", running.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    credential_search.forget()
    yield running
    credential_search.forget()
    running.stop()
    assert running.faults == []


@pytest.fixture
def provider() -> Iterator[BedrockProvider]:
    clients = ClientRegistry()
    register_built_in_clients(clients)
    yield BedrockProvider(clients)
    clients.close_all()


def _asking(*blocks: Any, **values: Any) -> ModelRequest:
    content = [{"text": block} if isinstance(block, str) else block for block in blocks]
    return ModelRequest(**{"model_id": CLAUDE, "messages": [{"role": "user", "content": content}], **values})


async def _answer(provider: BedrockProvider, request: ModelRequest) -> list[ModelEvent]:
    return [event async for event in provider.stream(request)]


async def _error(provider: BedrockProvider, request: ModelRequest) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await _answer(provider, request)
    return caught.value


# --- what is listed


def test_models_without_a_region_say_why(provider: BedrockProvider, settings: Any) -> None:
    settings.AWS_REGION = ""
    assert {(model.available, model.reason) for model in provider.models()} == {(False, "AWS_REGION isn't set.")}


def test_models_without_credentials_say_what_to_do(provider: BedrockProvider, settings: Any) -> None:
    settings.AWS_REGION = "us-east-1"
    credential_search.forget()
    assert {model.reason for model in provider.models()} == {NONE_FOUND}


def test_the_settings_list_takes_the_place_of_ours(
    provider: BedrockProvider, server: BedrockStandIn, settings: Any
) -> None:
    settings.WORKBENCH_BEDROCK_MODELS = ["amazon.nova-micro-v1:0=Nova", "acme.own"]
    described = [(model.id, model.label, model.accepts, model.context_tokens) for model in provider.models()]
    assert described == [
        ("amazon.nova-micro-v1:0", "Nova", ["text"], 128_000),
        ("acme.own", "acme.own", ["text"], None),
    ]


# --- who may ask


async def test_wrong_keys_are_unavailable_with_the_reason_in_the_audit(
    provider: BedrockProvider, server: BedrockStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODY")
    error = await _error(provider, _asking("Hello"))
    assert (type(error), error.message) == (
        ModelUnavailable,
        "The model “Claude Sonnet 5” isn't available at the moment.",
    )
    assert "UnrecognizedClientException" in error.detail


async def test_a_wrong_secret_is_unavailable(
    provider: BedrockProvider, server: BedrockStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "guessed")
    assert "InvalidSignatureException" in (await _error(provider, _asking("Hello"))).detail


async def test_a_wrong_region_is_unavailable(provider: BedrockProvider, server: BedrockStandIn, settings: Any) -> None:
    settings.AWS_REGION = "eu-west-1"
    error = await _error(provider, _asking("Hello"))
    assert isinstance(error, ModelUnavailable)
    assert "valid region" in error.detail


async def test_no_credentials_at_the_time_of_asking_is_unavailable(
    provider: BedrockProvider, server: BedrockStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provider.models()[0].available  # seen by whoever chose it
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    error = await _error(provider, _asking("Hello"))
    assert isinstance(error, ModelUnavailable)
    assert "NoCredentialsError" in error.detail
    assert server.log == []


async def test_an_api_key_is_enough_and_never_sent_in_the_clear(
    provider: BedrockProvider, server: BedrockStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", API_KEY)
    assert provider.models()[0].available
    error = await _error(provider, _asking("Hello"))
    assert "requires an HTTPS endpoint" in error.detail
    assert server.log == []


async def test_a_model_that_bedrock_does_not_know_is_unavailable(
    provider: BedrockProvider, server: BedrockStandIn
) -> None:
    error = await _error(provider, _asking("Hello", model_id="acme.own-v1:0"))
    assert isinstance(error, ModelUnavailable)
    assert "acme.own-v1:0" in error.message


async def test_a_server_that_is_away_is_asked_three_times_and_said_to_be_away(
    provider: BedrockProvider, server: BedrockStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9")
    error = await _error(provider, _asking("Hello"))
    assert isinstance(error, ModelUnavailable)
    assert "EndpointConnectionError" in error.detail


# --- what a request and its answer hold


async def test_images_and_documents_reach_the_model_and_it_cites_them(
    provider: BedrockProvider, server: BedrockStandIn
) -> None:
    image = {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}}
    document = {"document": {"format": "pdf", "name": "Q3", "source": {"bytes": b"%PDF"}}}
    answer = ModelAnswer([Source(document_id="doc-1", title="The third quarter")])
    request = _asking(image, document, "What happened? cite=on")
    events = [event for said in await _answer(provider, request) for event in answer.feed(said)]
    (citation,) = [event for event in events if event.type == "citation"]
    assert (citation.document_id, citation.page, citation.text) == ("doc-1", 2, "The passage that was cited.")
    assert [next(iter(block)) for block in server.log[0].body["messages"][0]["content"]] == [
        "image",
        "document",
        "text",
    ]


async def test_reasoning_is_kept_for_the_next_turn_as_it_was_signed(
    provider: BedrockProvider, server: BedrockStandIn
) -> None:
    answer = ModelAnswer()
    for event in await _answer(provider, _asking("reasoning=I_think. redacted=on say=Done.")):
        answer.feed(event)
    assert [next(iter(block)) for block in answer.content] == ["reasoningContent", "reasoningContent", "text"]
    request = _asking("Go on. say=Fine.")
    request.messages[:0] = [
        {"role": "user", "content": [{"text": "Begin."}]},
        {"role": "assistant", "content": answer.content},
    ]
    assert await _answer(provider, request)  # a signature that isn't theirs would be refused
    sent = server.log[1].body["messages"][1]["content"]
    assert sent[0]["reasoningContent"]["reasoningText"]["text"] == "I think."
    assert "redactedContent" in sent[1]["reasoningContent"]


async def test_tokens_of_the_cache_are_counted(provider: BedrockProvider, server: BedrockStandIn) -> None:
    answer = ModelAnswer()
    for event in await _answer(provider, _asking("Hello", system=[{"text": "Be brief."}])):
        answer.feed(event)
    assert answer.facts["cache_read_tokens"] == 11
    assert answer.facts["cache_write_tokens"] == 13


@pytest.mark.parametrize("reason", ["guardrail_intervened", "content_filtered", "model_context_window_exceeded"])
async def test_stop_reasons_are_passed_on(provider: BedrockProvider, server: BedrockStandIn, reason: str) -> None:
    assert {"messageStop": {"stopReason": reason}} in await _answer(provider, _asking(f"stop={reason}"))


async def test_a_request_that_the_sdk_refuses_is_an_error_and_not_sent(
    provider: BedrockProvider, server: BedrockStandIn
) -> None:
    error = await _error(provider, _asking({"image": {"format": "png"}}, "What is it?"))
    assert "ParamValidationError" in error.detail
    assert server.log == []
