"""boto3's client for Bedrock: the SDK's own calls, and how requests end. The contract suite has the streams' cases."""

import asyncio
import json
import logging
import threading
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from handlers.clients.bedrock_runtime import BedrockRuntimeClient, CallFailed
from handlers.errors import ClientUnavailable
from tests.standins.bedrock import BedrockStandIn

MODEL = "anthropic.claude-haiku-4-5-20251001-v1:0"


def _body(text: str) -> str:
    return json.dumps(
        {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": text}],
        }
    )


def _converse(text: str) -> dict[str, Any]:
    return {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": text}]}]}


async def test_a_blocking_call_of_the_sdks_client_works(client: BedrockRuntimeClient) -> None:
    sdk_client = await client.get_sync_client()
    response = sdk_client.invoke_model(modelId=MODEL, body=_body("Greet me. say=Good_evening."))
    assert json.loads(response["body"].read())["content"][0]["text"] == "Good evening."


async def test_a_call_can_be_awaited(client: BedrockRuntimeClient) -> None:
    response = await client.call("converse", **_converse("say=Hello!"))
    assert response["output"]["message"]["content"] == [{"text": "Hello!"}]


async def test_calls_at_the_same_time_have_threads_of_their_own(client: BedrockRuntimeClient) -> None:
    barrier = threading.Barrier(20)
    await asyncio.gather(*(client.run(barrier.wait, 10) for _ in range(20)))


async def test_a_throttled_call_is_retried_by_the_sdk(client: BedrockRuntimeClient, bedrock: BedrockStandIn) -> None:
    await client.call("converse", **_converse("throttle=1"))
    assert [entry.status for entry in bedrock.log] == [429, 200]


async def test_a_call_whose_answer_does_not_come_is_sent_once(
    client: BedrockRuntimeClient, bedrock: BedrockStandIn, settings: Any
) -> None:
    settings.WORKBENCH_FIRST_EVENT_TIMEOUT = settings.WORKBENCH_IDLE_TIMEOUT = 0.5
    with pytest.raises(ReadTimeoutError):
        await client.call("invoke_model", modelId=MODEL, body=_body("hang=60"))
    assert len(bedrock.log) == 1


async def test_a_stream_whose_headers_do_not_come_is_sent_once(
    client: BedrockRuntimeClient, bedrock: BedrockStandIn, settings: Any
) -> None:
    settings.WORKBENCH_FIRST_EVENT_TIMEOUT = settings.WORKBENCH_IDLE_TIMEOUT = 0.5
    call = client.converse(_converse("hang=60"))
    with pytest.raises(CallFailed) as caught:
        await call.take(30)
    assert caught.value.kind == "silent"
    assert len(bedrock.log) == 1


async def test_one_that_is_stopped_before_its_thread_began_sends_nothing(
    client: BedrockRuntimeClient, bedrock: BedrockStandIn, settings: Any
) -> None:
    settings.WORKBENCH_MAX_RUNS = 1
    release = threading.Event()
    held = asyncio.ensure_future(client.run(release.wait))
    await asyncio.sleep(0.05)
    client.converse(_converse("words=1")).stop()
    release.set()
    await held
    await client.run(lambda: None)
    assert bedrock.log == []


async def test_closing_the_client_ends_its_streams_for_good(
    client: BedrockRuntimeClient, bedrock: BedrockStandIn
) -> None:
    call = client.converse(_converse("stall=1"))
    assert await call.take(10)
    client.close()
    with pytest.raises(CallFailed) as caught:
        while await call.take(10):
            pass
    assert caught.value.kind == "stopped"
    assert len(bedrock.log) == 1


async def test_a_closed_client_is_made_again_when_it_is_needed(client: BedrockRuntimeClient) -> None:
    first = await client.get_sync_client()
    client.close()
    assert await client.get_sync_client() is not first


def test_the_sdk_lets_us_at_its_connections(client: BedrockRuntimeClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    session = client.get_now()._endpoint.http_session
    assert {pool.ConnectionCls.__name__ for pool in session._pool_classes_by_scheme.values()} == {"WatchedConnection"}
    assert "hides its connections" not in caplog.text


def test_health_is_an_answering_endpoint(client: BedrockRuntimeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    client.check_health()
    client.close()
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9")
    with pytest.raises(ClientUnavailable, match=r"http://127\.0\.0\.1:9 doesn't answer"):
        client.check_health()
