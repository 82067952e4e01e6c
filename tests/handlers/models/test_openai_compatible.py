"""The provider of OpenAI-compatible servers where it is itself; what all share is the contract suite's."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from handlers.clients import ClientRegistry, openai_catalogue
from handlers.clients.built_in import register_built_in_clients
from handlers.clients.failures import CallFailed
from handlers.clients.openai_catalogue import AWAY, KEY_REFUSED, NO_LIST
from handlers.errors import ModelError, ModelTimedOut, ModelUnavailable
from handlers.models import ModelDescription, ModelEvent, ModelRequest
from handlers.models.openai_compatible import OpenAICompatibleProvider
from tests.contract.providers import text_of
from tests.standins.behaviour import Behaviour, ask_for, call
from tests.standins.openai import API_KEY, OpenAIStandIn

NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture
def server(settings: Any) -> Iterator[OpenAIStandIn]:
    running = OpenAIStandIn()
    running.start()
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = running.base_url, API_KEY
    yield running
    running.stop()


@pytest.fixture
def clients() -> ClientRegistry:
    registry = ClientRegistry()
    register_built_in_clients(registry)
    return registry


@pytest.fixture
def provider(clients: ClientRegistry) -> OpenAICompatibleProvider:
    return OpenAICompatibleProvider(clients)


@pytest.fixture
async def asking(clients: ClientRegistry, provider: OpenAICompatibleProvider) -> AsyncIterator[Any]:
    """The provider's answer to a behaviour, all of it."""

    async def ask(behaviour: Behaviour | None = None, **values: Any) -> list[ModelEvent]:
        messages = [{"role": "user", "content": [{"text": ask_for(behaviour or Behaviour())}]}]
        request = ModelRequest(**{"model_id": "stand-in-small", "messages": messages, **values})
        async with aclosing(provider.stream(request)) as stream:
            return [event async for event in stream]

    yield ask
    await clients.close_loop()


async def _error(asking: Any, **values: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await asking(**values)
    return caught.value


def _ids(models: list[ModelDescription]) -> list[tuple[str, bool]]:
    return [(model.id, model.available) for model in models]


# --- what is listed


def test_without_settings_nothing_is_offered(provider: OpenAICompatibleProvider, settings: Any) -> None:
    settings.OPENAI_BASE_URL = settings.OPENAI_API_KEY = ""
    assert provider.models() == []


def test_listed_models_without_a_server_say_what_is_missing(provider: OpenAICompatibleProvider, settings: Any) -> None:
    settings.WORKBENCH_OPENAI_MODELS = ["llama3.2=Llama"]
    (model,) = provider.models()
    assert (model.label, model.available, model.reason) == ("Llama", False, "OPENAI_BASE_URL isn't set.")


def test_openais_own_server_wants_a_key(provider: OpenAICompatibleProvider, settings: Any) -> None:
    settings.OPENAI_BASE_URL = "https://api.openai.com/v1"
    assert [model.reason for model in provider.models()] == ["OPENAI_API_KEY isn't set."]


def test_the_servers_own_chat_models_are_offered(provider: OpenAICompatibleProvider, server: OpenAIStandIn) -> None:
    models = provider.models()
    assert _ids(models) == [("stand-in-small", True), ("stand-in-vl", True), ("gpt-5-stand-in", True)]
    assert [model.context_tokens for model in models] == [32_000] * 3
    assert "image" in models[1].accepts


def test_the_list_is_fetched_once(provider: OpenAICompatibleProvider, server: OpenAIStandIn) -> None:
    for _ in range(5):
        provider.models()
    assert server.listed == 1


async def test_on_an_event_loop_nobody_waits_for_the_list(
    provider: OpenAICompatibleProvider, server: OpenAIStandIn
) -> None:
    (model,) = provider.models()
    assert (model.available, model.reason) == (False, "The server's list of models is being fetched.")
    async with asyncio.timeout(10):
        while len(provider.models()) < 3:
            await asyncio.sleep(0.01)


def test_a_server_that_is_not_there_is_one_unavailable_entry(
    provider: OpenAICompatibleProvider, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.OPENAI_BASE_URL = NOBODY
    (model,) = provider.models()
    assert (model.available, model.reason) == (False, AWAY)  # everybody reads it: no host, no exception
    assert "ClientConnectorError" in caplog.text


def test_a_wrong_key_is_told_without_what_the_server_says_of_it(
    provider: OpenAICompatibleProvider, server: OpenAIStandIn, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.OPENAI_API_KEY = "sk-wrong-and-secret"
    (model,) = provider.models()
    assert model.reason == KEY_REFUSED
    assert "Incorrect API key provided: …" in caplog.text
    assert "secret" not in caplog.text


def test_a_server_without_a_list_says_what_to_set(provider: OpenAICompatibleProvider, settings: Any) -> None:
    server = OpenAIStandIn()
    server.lists = False
    server.start()
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = server.base_url, API_KEY
    (model,) = provider.models()
    server.stop()
    assert model.reason == NO_LIST


def test_a_failure_is_logged_once_until_it_changes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(openai_catalogue, "ASK_AGAIN", 0.0)
    monkeypatch.setattr(openai_catalogue, "PATIENCE", 10.0)
    said = iter(["one", "one", "two", "two"])

    def fail() -> list[dict[str, Any]]:
        raise CallFailed("lost", next(said))

    catalogue = openai_catalogue.ModelCatalogue(fail)
    for _ in range(4):
        catalogue._done.clear()
        assert catalogue.known() == ([], AWAY)
    assert [record.args for record in caplog.records] == [("one",), ("two",)]


def test_the_list_outlives_the_server(
    clients: ClientRegistry, provider: OpenAICompatibleProvider, server: OpenAIStandIn, monkeypatch: Any
) -> None:
    provider.models()
    monkeypatch.setattr("handlers.clients.openai_catalogue.ASK_AGAIN", 0.0)
    server.key = "another"
    catalogue = clients.get("openai").catalogue
    catalogue._due_at = 0.0
    deadline = time.monotonic() + 10
    while provider.models()[0].available and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _ids(provider.models())[0] == ("stand-in-small", False)


async def test_health_is_asked_of_the_server(clients: ClientRegistry, server: OpenAIStandIn, settings: Any) -> None:
    assert (await clients.check_health())["openai"].available
    settings.OPENAI_API_KEY = "wrong"
    assert "401" in ((await clients.check_health())["openai"].reason or "")


# --- the wire


async def test_the_key_is_sent_and_none_without_one(asking: Any, server: OpenAIStandIn, settings: Any) -> None:
    await asking()
    server.key = settings.OPENAI_API_KEY = ""
    await asking()
    sent = [entry.headers.get("Authorization") for entry in server.log]
    assert sent == [f"Bearer {API_KEY}", None]


async def test_one_connection_serves_one_answer_after_the_other(asking: Any, server: OpenAIStandIn) -> None:
    for _ in range(3):
        await asking()
    assert len({entry.connection for entry in server.log}) == 1


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
async def test_both_names_of_reasoning_are_known(asking: Any, server: OpenAIStandIn, field: str) -> None:
    server.reasoning_field = field
    events = await asking(Behaviour(reasoning="let me think"))
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    assert "".join(delta.get("reasoningContent", {}).get("text", "") for delta in deltas) == "let me think"


async def test_a_server_that_does_not_stream_is_understood(asking: Any, server: OpenAIStandIn) -> None:
    server.streams = False
    events = await asking(Behaviour(say="All at once.", tools=(call("add", a=1),)))
    assert text_of(events) == "All at once."
    assert {"messageStop": {"stopReason": "tool_use"}} in events


# --- what goes wrong


async def test_no_server(asking: Any, settings: Any) -> None:
    settings.OPENAI_BASE_URL = NOBODY
    error = await _error(asking)
    assert type(error) is ModelUnavailable
    assert "OPENAI_BASE_URL" in error.detail


async def test_nothing_set(asking: Any, settings: Any) -> None:
    settings.OPENAI_BASE_URL = settings.OPENAI_API_KEY = ""
    assert "OPENAI_BASE_URL isn't set." in (await _error(asking)).detail


async def test_a_wrong_key(asking: Any, server: OpenAIStandIn, settings: Any) -> None:
    settings.OPENAI_API_KEY = "sk-wrong-and-secret"
    error = await _error(asking)
    assert type(error) is ModelUnavailable
    assert "OPENAI_API_KEY" in error.detail
    assert "secret" not in error.detail


async def test_an_unknown_model(asking: Any, server: OpenAIStandIn) -> None:
    assert type(await _error(asking, model_id="nobodys")) is ModelUnavailable


@pytest.mark.parametrize("path", ["/elsewhere", "/moved", "/v2"], ids=["a web page", "a redirect", "nothing"])
async def test_an_address_where_no_api_is(asking: Any, server: OpenAIStandIn, settings: Any, path: str) -> None:
    settings.OPENAI_BASE_URL = server.url + path
    error = await _error(asking)
    assert type(error) is ModelUnavailable
    assert "OPENAI_BASE_URL" in error.detail
    assert server.log == []


async def test_a_request_that_is_too_long(asking: Any, server: OpenAIStandIn) -> None:
    server.context_tokens = 1
    assert (await _error(asking)).error_type == "context_length"


async def test_comments_do_not_keep_a_silent_model_waiting(asking: Any, server: OpenAIStandIn, settings: Any) -> None:
    settings.WORKBENCH_MODEL_FIRST_TOKEN_TIMEOUT = settings.WORKBENCH_MODEL_IDLE_TIMEOUT = 0.5
    with pytest.raises(ModelTimedOut):
        await asking(Behaviour(stall=2))


def test_a_thread_is_not_left_waiting_for_a_server_that_never_answers(
    provider: OpenAICompatibleProvider, settings: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings.OPENAI_BASE_URL = f"http://127.0.0.1:{mute.getsockname()[1]}/v1"
        (model,) = provider.models()
        assert model.reason == "The server's list of models is being fetched."
