"""Starting a run through HTTP: streamed live, or answered at its end."""

import asyncio
import gc
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from chats import reading, runs
from chats.engine import Engine
from chats.models import AccessToken, Message, Run
from tests.chats.api.makers import JSONClient
from tests.chats.api.streams import PATIENCE, AsyncJSONClient, until
from workbench.models import User

TEXT = {"task": "demo", "content": "text"}


pytestmark = pytest.mark.usefixtures("gate")


# generate/stream


async def test_a_run_is_streamed_to_its_end(client: AsyncJSONClient, gate: Any) -> None:
    gate.set()
    source = await client.stream({"content": "Hi"})
    events = await source.rest()
    assert [event["type"] for event in events] == ["response_start", "status", "content", "content", "response_end"]
    assert [event["sequence"] for event in events] == [0, None, 1, 3, 4]
    assert {event["response_id"] for event in events} == {source.response["X-Response-Id"]}
    assert "".join(event.get("content", "") for event in events) == "You said: Hi More."


async def test_events_come_while_the_run_goes_on(client: AsyncJSONClient, gate: Any) -> None:
    source = await client.stream({"content": "Hi"})
    assert (await source.until("content"))[-1]["content"] == "You said: Hi"
    gate.set()
    assert (await source.rest())[-1]["status"] == "completed"


async def test_nothing_between_keeps_a_stream_from_being_live(client: AsyncJSONClient) -> None:
    headers = (await client.stream({"content": "Hi"})).response.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert "Content-Length" not in headers


async def test_who_leaves_stops_no_run_and_leaves_no_listener(
    client: AsyncJSONClient, gate: Any, engine: Engine
) -> None:
    source = await client.stream({"content": "Hi"})
    await source.until("content")
    await source.close()
    await until(lambda: not engine.hub.port().listeners)
    gate.set()
    response_id = source.response["X-Response-Id"]
    await asyncio.wait_for(runs.wait_for_end(response_id), PATIENCE)
    assert (await Message.objects.aget(pk=response_id)).status == "completed"


async def test_the_same_request_again_attaches_and_resumes_after_the_last_id(
    client: AsyncJSONClient, gate: Any
) -> None:
    first = await client.stream({"content": "Hi", "request_id": "r"})
    await first.until("content")
    second = await client.stream({"content": "Hi", "request_id": "r"}, **{"Last-Event-ID": "1"})
    gate.set()
    events = await second.rest()
    assert second.response["X-Response-Id"] == first.response["X-Response-Id"]
    assert [event["sequence"] for event in events] == [3, 4]


async def test_a_failing_run_tells_run_error_and_then_its_end(client: AsyncJSONClient) -> None:
    events = await (await client.stream({"content": "fail"})).rest()
    assert events[-2]["type"] == "error"
    assert events[-2]["message"] == "The oracle is silent."
    assert (events[-1]["status"], events[-1]["error_type"]) == ("error", "silence")


@pytest.mark.parametrize(
    "body",
    [
        {"content": "Hi"},
        {"parts": [{"content": "Hi"}]},
        {"message": {"parts": [{"kind": "text", "content": "Hi"}]}},
        {"chat_id": "test-chat", "message": {"parts": [{"content": "Hi"}]}},
    ],
)
async def test_a_text_is_taken_in_each_of_its_shapes(client: AsyncJSONClient, body: dict[str, Any], gate: Any) -> None:
    events = await (await client.stream(body)).until("content")
    assert events[-1]["content"] == "You said: Hi"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"content": "Hi", "parts": [{"content": "Hi"}]}, "content"),
        ({"content": 5}, "content"),
        ({"content": " "}, "parts"),
        ({"message": "Hi"}, "message"),
        ({"message": {"parts": "Hi"}}, "message"),
        ({"message": {"parts": [{"content": 5}]}}, "parts.0.content"),
        ({"content": "Hi", "task": 5}, "task"),
        ({}, "parts"),
    ],
)
@pytest.mark.parametrize("door", ["stream", "invoke"])
def test_a_wrong_body_starts_nothing(client_of_owner: JSONClient, door: str, body: dict[str, Any], field: str) -> None:
    response = client_of_owner.ask("POST", f"/generate/{door}", body)
    assert (response.status_code, list(response.json()["fields"])) == (400, [field])
    assert not Run.objects.exists()


def test_a_wrong_cursor_starts_nothing(client_of_owner: JSONClient) -> None:
    response = client_of_owner.ask("POST", "/generate/stream", TEXT, **{"Last-Event-ID": "x"})
    assert (response.status_code, list(response.json()["fields"])) == (400, ["Last-Event-ID"])
    assert not Run.objects.exists()


async def test_too_many_runs_are_refused_with_a_time_to_come_back(client: AsyncJSONClient, settings: Any) -> None:
    settings.WORKBENCH_MAX_RUNS_PER_USER = 1
    await client.stream({"content": "Hi"})
    response = await client.ask("POST", "/generate/stream", {"task": "gated", "content": "Hi"})
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
    assert int(response["Retry-After"]) > 0


# generate/invoke


async def test_invoke_gives_the_stored_message(client: AsyncJSONClient, gate: Any) -> None:
    gate.set()
    response = await client.ask("POST", "/generate/invoke", {"task": "gated", "content": "Hi"})
    shown = response.json()
    assert response.status_code == 200
    assert response["X-Response-Id"] == shown["id"]
    assert shown == await sync_to_async(lambda: reading.represent_message(Message.objects.get(pk=shown["id"])))()
    assert [part["content"] for part in shown["parts"]] == ["You said: Hi More."]


async def test_a_failed_run_is_a_bad_gateway(client: AsyncJSONClient) -> None:
    response = await client.ask("POST", "/generate/invoke", {"task": "gated", "content": "fail"})
    assert response.status_code == 502
    run = await Run.objects.aget()
    assert response.json() == {"code": "silence", "message": "The oracle is silent.", "response_id": str(run.pk)}


async def test_a_run_that_took_too_long_is_a_gateway_timeout(client: AsyncJSONClient, engine: Engine) -> None:
    from chats.control import Limits

    engine.control.limits = Limits(run=60, first_event=60, idle=0.01)
    response = await client.ask("POST", "/generate/invoke", {"task": "gated", "content": "Hi"})
    assert (response.status_code, response.json()["code"]) == (504, "idle_timeout")


async def test_a_repeated_invoke_waits_for_the_same_run(client: AsyncJSONClient, gate: Any) -> None:
    body = {"task": "gated", "content": "Hi", "request_id": "r"}
    asking = [asyncio.ensure_future(client.ask("POST", "/generate/invoke", body)) for _ in range(2)]
    async with asyncio.timeout(PATIENCE):
        while not await Run.objects.aexists():
            await asyncio.sleep(0.01)
    gate.set()
    first, second = [(await each).json() for each in asking]
    assert first == second
    assert await Run.objects.acount() == 1


async def test_who_waits_for_an_answer_takes_a_place(client: AsyncJSONClient, gate: Any, settings: Any) -> None:
    settings.WORKBENCH_MAX_SOCKETS_PER_USER = 1
    body = {"task": "gated", "content": "Hi", "request_id": "r"}
    first = asyncio.ensure_future(client.ask("POST", "/generate/invoke", body))
    async with asyncio.timeout(PATIENCE):
        while not await Run.objects.aexists():
            await asyncio.sleep(0.01)
    second = await client.ask("POST", "/generate/invoke", body)
    assert (second.status_code, second.json()["code"]) == (429, "rate_limited")
    assert int(second["Retry-After"]) > 0
    gate.set()
    assert (await first).status_code == 200
    assert (await client.ask("POST", "/generate/invoke", body)).status_code == 200


async def test_a_cancelled_run_is_given_as_it_was_stored(client: AsyncJSONClient, owner: User) -> None:
    asking = asyncio.ensure_future(client.ask("POST", "/generate/invoke", {"task": "gated", "content": "Hi"}))
    async with asyncio.timeout(PATIENCE):
        while (run := await Run.objects.afirst()) is None:
            await asyncio.sleep(0.01)
    cancelled = await client.ask("POST", f"/responses/{run.pk}/cancel/")
    assert cancelled.status_code == 202
    response = await asking
    assert (response.status_code, response.json()["status"]) == (200, "cancelled")


def test_what_fails_during_the_wait_is_told_as_json(
    client_of_owner: JSONClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(response_id: str) -> None:
        raise RuntimeError("inside")

    monkeypatch.setattr(runs, "wait_for_end", fail)
    client_of_owner.raise_request_exception = False
    response = client_of_owner.ask("POST", "/generate/invoke", TEXT)
    assert (response.status_code, response.json()["code"]) == (500, "internal")


def test_a_token_that_is_revoked_during_the_wait_gets_no_answer(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.chats.api.makers import bearer_of

    async def revoke(response_id: str) -> None:
        await AccessToken.objects.aupdate(revoked_at="2026-01-01T00:00:00Z")

    monkeypatch.setattr(runs, "wait_for_end", revoke)
    assert bearer_of(owner).ask("POST", "/generate/invoke", TEXT).status_code == 401


async def test_streams_that_come_to_nothing_hold_no_place(client: AsyncJSONClient, gate: Any, settings: Any) -> None:
    settings.WORKBENCH_MAX_SOCKETS_PER_USER = 1
    gate.set()
    gc.disable()  # requests are cycles: what only the collector frees is held until it comes
    try:
        unknown = {"task": "gated", "content": "Hi", "chat_id": "01970000-0000-7000-8000-000000000000"}
        assert (await client.ask("POST", "/generate/stream", unknown)).status_code == 404
        body = {"task": "gated", "content": "Hi", "request_id": "once"}
        source = await client.stream(body)
        last = (await source.rest())[-1]["sequence"]
        await source.close()
        again = await client.ask("POST", "/generate/stream", body, **{"Last-Event-ID": str(last)})
        assert again.status_code == 204
        assert (await (await client.stream({"content": "Hi"})).rest())[-1]["type"] == "response_end"
    finally:
        gc.enable()
