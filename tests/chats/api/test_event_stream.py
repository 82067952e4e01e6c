"""A response's events as a stream: replayed, then live, resumed, and ended with its reader's right."""

import asyncio
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from chats import guard, runs
from chats.engine import Engine
from chats.models import AccessToken, Chat, Message
from tests.chats.api.makers import END, JSONClient, bearer_of, end_of, make_response, start_of, text
from tests.chats.api.streams import PATIENCE, AsyncJSONClient
from workbench.models import User

pytestmark = pytest.mark.usefixtures("engine")

HIDDEN = ("content", {"content": "secret"}, False)
ERROR = ("error", {"error_type": "x", "message": "Oh"})


@pytest.fixture
def stored(chat: Chat) -> Message:
    """0 start, 1 text, 2 hidden, 3 text, 4 error, 5 hidden, 6 end."""
    return make_response(chat, [start_of(), text("a"), HIDDEN, text("b"), ERROR, HIDDEN, END])


def numbers(events: list[dict[str, Any]]) -> list[Any]:
    return [event["sequence"] for event in events]


async def test_a_finished_response_is_replayed_to_its_end(client: AsyncJSONClient, stored: Message) -> None:
    source = await client.follow(str(stored.pk))
    events = await source.rest()
    assert numbers(events) == [0, 1, 3, 4, 6]
    assert events[-1] == {"response_id": str(stored.pk), "type": "response_end", "sequence": 6, **END[1]}
    assert source.response["X-Response-Id"] == str(stored.pk)


@pytest.mark.parametrize("after", range(-1, 6))
async def test_from_any_place_on_nothing_is_missing_or_doubled(
    client: AsyncJSONClient, stored: Message, after: int
) -> None:
    events = await (await client.follow(str(stored.pk), f"?after={after}")).rest()
    assert numbers(events) == [number for number in (0, 1, 3, 4, 6) if number > after]


async def test_an_event_sources_last_id_goes_before_the_address_it_comes_back_to(
    client: AsyncJSONClient, stored: Message
) -> None:
    source = await client.follow(str(stored.pk), "?after=0", **{"Last-Event-ID": "3"})
    assert numbers(await source.rest()) == [4, 6]


@pytest.mark.parametrize("after", [6, 7, 1000])
def test_nothing_follows_the_end(client_of_owner: JSONClient, stored: Message, after: int) -> None:
    path = f"/responses/{stored.pk}/events/?after={after}"
    response = client_of_owner.ask("GET", path, accept="text/event-stream")
    assert (response.status_code, response.content) == (204, b"")


async def test_what_happens_is_followed_after_what_has_happened(client: AsyncJSONClient, gate: threading.Event) -> None:
    starter = await client.stream({"content": "Hi"})
    await starter.until("content")
    follower = await client.follow(starter.response["X-Response-Id"])
    assert numbers(await follower.until("content")) == [0, 1]
    gate.set()
    assert numbers(await follower.rest()) == [3, 4]


async def test_a_hidden_event_moves_the_cursor_and_shows_nothing(
    client: AsyncJSONClient, chat: Chat, engine: Engine
) -> None:
    running = await sync_to_async(make_response)(chat, [start_of(), text("a"), HIDDEN])
    source = await client.follow(str(running.pk))
    reading = asyncio.ensure_future(source.rest())
    async with asyncio.timeout(PATIENCE):
        while source.last_id != "2":
            await asyncio.sleep(0.01)
    reading.cancel()
    await asyncio.wait({reading})


async def test_types_that_werent_asked_for_are_passed_silently(client: AsyncJSONClient, stored: Message) -> None:
    source = await client.follow(str(stored.pk), "?type=error,document")
    assert [event["type"] for event in await source.rest()] == ["error"]
    assert source.last_id == str(end_of(stored))


async def test_a_cancel_ends_run_and_stream(client: AsyncJSONClient, gate: threading.Event) -> None:
    source = await client.stream({"content": "Hi"})
    await source.until("content")
    response_id = source.response["X-Response-Id"]
    answer = await client.ask("POST", f"/responses/{response_id}/cancel/")
    assert (answer.status_code, answer.json()["response_id"]) == (202, response_id)
    assert (await source.rest())[-1]["status"] == "cancelled"
    again = await client.ask("POST", f"/responses/{response_id}/cancel/")
    assert (again.status_code, again.json()["status"]) == (202, "cancelled")


@pytest.fixture
def quick_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "LOOK_EVERY", 0.05)


@pytest.mark.usefixtures("quick_guard")
async def test_logging_out_ends_the_stream_and_not_the_run(client: AsyncJSONClient, gate: threading.Event) -> None:
    source = await client.stream({"content": "Hi"})
    await source.until("content")
    await client.alogout()
    assert "response_end" not in [event["type"] for event in await source.rest()]
    gate.set()
    response_id = source.response["X-Response-Id"]
    await asyncio.wait_for(runs.wait_for_end(response_id), PATIENCE)
    assert (await Message.objects.aget(pk=response_id)).status == "completed"


@pytest.mark.usefixtures("quick_guard")
async def test_a_revoked_tokens_stream_ends(owner: User, gate: threading.Event) -> None:
    authorization = (await sync_to_async(bearer_of)(owner)).defaults["HTTP_AUTHORIZATION"]
    source = await AsyncJSONClient().stream({"content": "Hi"}, authorization=authorization)
    await source.until("content")
    await AccessToken.objects.aupdate(revoked_at="2026-01-01T00:00:00Z")
    assert "response_end" not in [event["type"] for event in await source.rest()]


def test_looking_at_the_headers_alone_opens_no_stream(client_of_owner: JSONClient, stored: Message) -> None:
    path = f"/api/v1/responses/{stored.pk}/events/"
    response = client_of_owner.head(path, headers={"accept": "text/event-stream"})
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("last_id", ["x", "-2", "1e3"])
def test_a_wrong_last_id_is_named(client_of_owner: JSONClient, stored: Message, last_id: str) -> None:
    headers = {"accept": "text/event-stream", "Last-Event-ID": last_id}
    response = client_of_owner.ask("GET", f"/responses/{stored.pk}/events/", **headers)
    assert (response.status_code, list(response.json()["fields"])) == (400, ["Last-Event-ID"])


async def test_what_was_streamed_live_is_what_is_listed(client: AsyncJSONClient, gate: threading.Event) -> None:
    source = await client.stream({"content": "Hi"})
    live = await source.until("content")
    gate.set()
    live += await source.rest()
    response_id = source.response["X-Response-Id"]
    listed = (await client.ask("GET", f"/responses/{response_id}/events/")).json()["results"]
    for event in listed:
        del event["timestamp"]
    assert [event for event in live if event["sequence"] is not None] == listed


async def test_a_user_has_so_many_streams_and_no_more(
    client: AsyncJSONClient, gate: threading.Event, settings: Any
) -> None:
    settings.WORKBENCH_MAX_SOCKETS_PER_USER = 2
    first = await client.stream({"content": "Hi"})
    path = f"/responses/{first.response['X-Response-Id']}/events/"
    second = await client.follow(first.response["X-Response-Id"])
    refused = await client.ask("GET", path, accept="text/event-stream")
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert (await client.ask("POST", "/generate/stream", {"content": "Hi"})).status_code == 429
    assert await Message.objects.filter(kind="response").acount() == 1
    gate.set()
    await second.rest()
    del second
    assert (await client.ask("GET", path, accept="text/event-stream")).status_code == 200
