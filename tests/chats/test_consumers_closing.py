"""Whom the websocket lets in and for what, and with which code it closes."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async

from chats import control, guard
from chats.fields import new_id
from chats.models import AccessToken, Message, Run
from tests.chats.live import Client, begin, error_for, make_user, nothing_is_stored

# Closing


async def test_who_isnt_logged_in_is_closed_with_4401(engine):
    async with Client(greeted=False) as client:
        assert await client.closing_code() == 4401


async def test_another_origin_is_closed_with_4403(key):
    async with Client(key, headers={"origin": "https://evil.example.org"}, greeted=False) as client:
        assert await client.closing_code() == 4403


async def test_one_socket_too_many_is_closed_with_4429_and_the_others_stay(key, settings):
    settings.WORKBENCH_MAX_SOCKETS_PER_USER = 1
    async with Client(key) as client:
        async with Client(key, greeted=False) as second:
            assert await second.closing_code() == 4429
        await client.send(type="ping")
        await client.receive_until("pong")
    async with Client(key) as third:
        assert third.hello["type"] == "hello"


async def test_the_sockets_of_others_dont_count(key, others_key, settings):
    settings.WORKBENCH_MAX_SOCKETS_PER_USER = 1
    async with Client(key), Client(others_key) as theirs:
        assert theirs.hello["type"] == "hello"


async def test_a_server_that_stops_takes_no_starts_and_asks_its_sockets_to_come_back(key, engine):
    frame = {"type": "start", "request_id": "r1", "task": "demo", "parts": [{"content": "text"}]}
    async with Client(key) as client:
        engine.accepting = False
        error = await error_for(client, json.dumps(frame))
        assert (error["code"], error["retry_after"]) == ("unavailable", 2)
        await engine.drain(0)
        assert await client.closing_code() == 1012
    assert await nothing_is_stored()


async def test_a_run_that_a_stop_cuts_short_says_so_and_keeps_what_it_said(key, engine, held):
    async with Client(key) as client:
        started = await begin(client, held)
        await engine.drain(0)
        assert await client.closing_code() == 1012
    response = await Message.objects.select_related("run").aget(pk=started["response_id"])
    assert (response.status, response.run.error_type) == ("error", "shutdown")
    assert response.parts == [{"kind": "text", "content": "hello"}]


async def test_a_refused_socket_starts_nothing(others_key):
    async with Client(greeted=False) as client, Client(others_key) as theirs:
        await client.closing_code()
        await client.send(type="start", request_id="refused", task="demo", parts=[{"content": "text"}])
        await theirs.ask("text", task="demo")
    assert not await Run.objects.filter(request_id="refused").aexists()


async def test_a_deactivated_users_runs_end_and_his_sockets_close(key, held, monkeypatch):
    monkeypatch.setattr(guard, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(control, "BEAT", 0.05)
    async with Client(key) as client:
        started = await begin(client, held)
        await type(await _user()).objects.aupdate(is_active=False)
        assert await client.closing_code() == 4401
    while (run := await Run.objects.aget(pk=started["response_id"])).status == "running":
        await asyncio.sleep(0.01)
    assert run.status == "cancelled"


async def _user():
    from django.contrib.auth import get_user_model

    return await get_user_model().objects.aget()


# Tokens


@pytest.fixture
def bearer(engine):
    """`bearer("read")`: the headers of a token with these scopes."""
    user = make_user()

    async def headers(*scopes):
        _, secret = await sync_to_async(AccessToken.issue)(user, scopes=list(scopes))
        return {"authorization": f"Bearer {secret}"}

    return headers


async def test_a_token_opens_a_socket(bearer):
    async with Client(headers=await bearer("generate", "read")) as client:
        _, events = await client.ask("text", task="demo")
    assert events[-1]["status"] == "completed"


@pytest.mark.parametrize(("scope", "kind"), [("read", "start"), ("read", "cancel"), ("generate", "subscribe")])
async def test_a_token_does_what_its_scopes_allow(bearer, scope, kind):
    frame = {"type": kind, "request_id": "r1", "response_id": str(new_id()), "parts": [{"content": "text"}]}
    async with Client(headers=await bearer(scope)) as client:
        error = await error_for(client, json.dumps(frame))
    assert error["code"] == "forbidden"
    assert await nothing_is_stored()
