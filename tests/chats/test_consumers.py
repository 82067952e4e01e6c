"""The websocket, through the real consumer, engine and database: its frames, whose they are, and starts."""

import json

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.db import OperationalError

from chats import admission
from chats.fields import new_id
from chats.models import Message, Persona, Run
from chats.protocol import MAX_FRAME_IN
from handlers.events import ContentEvent
from tests.chats.live import Client, begin, content, error_for, nothing_is_stored
from tests.chats.scripted import handler_class

# The main job


async def test_an_answer_streams_and_is_stored_as_it_was_shown(key):
    async with Client(key) as client:
        started, events = await client.ask("text", task="demo")
    stored = await Message.objects.aget(pk=started["response_id"])
    assert [event["sequence"] for event in events] == list(range(len(events)))
    assert stored.parts == [{"kind": "text", "content": content(events)}]
    assert stored.status == "completed"


async def test_hello_says_who_one_is(key):
    async with Client(key) as client:
        user_id = client.hello.pop("user_id")
        assert client.hello == {"type": "hello", "protocol": 1, "running": []}
    assert user_id == str((await sync_to_async(Session.objects.get)(pk=key)).get_decoded()["_auth_user_id"])


async def test_started_says_where_the_answer_will_be(key):
    async with Client(key) as client:
        started, events = await client.ask("text", task="demo", request_id="r1")
    assert (started["request_id"], started["attached"]) == ("r1", False)
    assert {name: events[0][name] for name in ("type", "request_id", "chat_id", "message_id", "parent_id")} == {
        "type": "response_start",
        "request_id": "r1",
        "chat_id": started["chat_id"],
        "message_id": started["message_id"],
        "parent_id": None,
    }


async def test_many_chats_share_a_socket(key):
    async with Client(key) as client:
        started = [await client.start("text", task="demo") for _ in range(3)]
        answers = [await client.events_to_end(each["response_id"]) for each in started]
    assert len({each["chat_id"] for each in started}) == 3
    assert len({content(events) for events in answers}) == 1


async def test_a_closed_socket_stops_no_run(key, held, gate):
    async with Client(key) as client:
        started = await begin(client, held)
    gate.set()
    async with Client(key) as client:
        await client.send(type="subscribe", response_id=started["response_id"])
        assert content(await client.events_to_end(started["response_id"])) == "hello and goodbye"


# Frames that are wrong

WRONG = [
    ("{", "invalid_json"),
    ("[]", "invalid_json"),
    ('{"type": "ping", "x": NaN}', "invalid_json"),
    ("[" * 100_000, "invalid_json"),
    ("{}", "unknown_type"),
    ('{"type": "hello"}', "unknown_type"),
    ('{"type": ["start"]}', "unknown_type"),
    ('{"type": "subscribe"}', "invalid"),
    ('{"type": "start", "request_id": "r1", "parts": "hello"}', "invalid"),
    ('{"type": "start", "request_id": "r1"}', "invalid"),
    ('{"type": "start", "request_id": "r1", "parts": []}', "invalid"),
    ('{"type": "start", "request_id": "r1", "parts": [{"content": "x"}], "options": {"n": 1e999}}', "invalid"),
    ('{"type": "start", "request_id": "r1", "parts": [{"content": "x"}], "options": {"n": 1}}', "invalid"),
    ('{"type": "start", "request_id": "r1", "parts": [{"content": "x"}], "task": "nope"}', "not_found"),
    ('{"type": "start", "request_id": "r1", "parts": [{"content": "x"}], "persona_id": "nope"}', "not_found"),
    ('{"type": "start", "request_id": "r1", "parts": [{"content": "x"}], "parent_id": "nope"}', "not_found"),
    (json.dumps({"type": "subscribe", "response_id": str(new_id())}), "not_found"),
    (json.dumps({"type": "unsubscribe", "response_id": str(new_id())}), "not_found"),
    (json.dumps({"type": "cancel", "response_id": str(new_id())}), "not_found"),
    ('{"type": "cancel", "response_id": "\\u0000\\ud800"}', "not_found"),
]


async def test_a_wrong_frame_gets_an_error_stores_nothing_and_closes_nothing(key):
    async with Client(key) as client:
        for text, code in WRONG:
            error = await error_for(client, text)
            assert (text, error["code"]) == (text, code)
            assert error["message"]
    assert await nothing_is_stored()


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "start", "request_id": "r1", "parts": 5},
        {"type": "start", "request_id": "r1", "task": "nope", "parts": [{"content": "x"}]},
        {"type": "begin", "request_id": "r1"},
    ],
)
async def test_an_error_names_the_request_that_it_answers(key, frame):
    async with Client(key) as client:
        assert (await error_for(client, json.dumps(frame)))["request_id"] == "r1"


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "subscribe", "response_id": "r2", "after": "x"},
        {"type": "subscribe", "response_id": "r2"},
        {"type": "cancel", "response_id": "r2"},
    ],
)
async def test_an_error_names_the_response_that_it_is_about(key, frame):
    async with Client(key) as client:
        assert (await error_for(client, json.dumps(frame)))["response_id"] == "r2"


async def test_fields_that_are_wrong_are_named(key):
    async with Client(key) as client:
        error = await error_for(client, '{"type": "start", "request_id": "r1", "parts": [{"content": 5}], "branch": 1}')
    assert set(error["fields"]) == {"parts.0.content", "branch"}


@pytest.mark.parametrize("name", ["request_id", "response_id"])
async def test_a_name_that_cant_be_sent_back_is_sent_back_clean(key, name):
    async with Client(key) as client:
        error = await error_for(client, json.dumps({"type": "nope", name: "a\ud800"}))
    assert error[name] == "a\ufffd"


async def test_a_binary_frame_is_refused(key):
    async with Client(key) as client:
        await client.send_bytes(b'{"type": "ping"}')
        assert (await client.receive())["code"] == "invalid_json"
        await client.send(type="ping")
        assert (await client.receive())["type"] == "pong"


async def test_a_frame_may_have_a_mebibyte_and_no_byte_more(key):
    frame = json.dumps({"type": "start", "request_id": "r1", "task": "demo", "parts": [{"content": "text "}]})
    async with Client(key) as client:
        error = await error_for(client, frame + " " * (MAX_FRAME_IN - len(frame) + 1))
        assert error["code"] == "too_large"
        assert await nothing_is_stored()
        await client.send_text(frame + " " * (MAX_FRAME_IN - len(frame)))
        assert await client.receive_until("started", request_id="r1")


async def test_what_nobody_foresaw_is_told_by_a_number_that_the_log_has(key, monkeypatch, caplog):
    def fail(*args):
        raise RuntimeError("hunter2")

    monkeypatch.setattr(admission, "status_of", fail)
    async with Client(key) as client:
        error = await error_for(client, json.dumps({"type": "subscribe", "response_id": str(new_id())}))
    assert "hunter2" not in json.dumps(error)
    assert error["message"].rpartition(" ")[2] in caplog.text


async def test_a_database_that_is_away_is_no_fault_of_the_frame(key, monkeypatch):
    def fail(*args):
        raise OperationalError("hunter2")

    monkeypatch.setattr(admission, "status_of", fail)
    async with Client(key) as client:
        error = await error_for(client, json.dumps({"type": "subscribe", "response_id": str(new_id())}))
    assert (error["code"], error["retry_after"]) == ("unavailable", 2)
    assert "hunter2" not in json.dumps(error)


async def test_a_socket_that_cant_be_greeted_for_the_database_is_asked_to_come_back(key, monkeypatch):
    def fail(*args):
        raise OperationalError

    monkeypatch.setattr(admission, "hello", fail)
    async with Client(key, greeted=False) as client:
        assert await client.closing_code() == 1012


# Whose it is


@pytest.fixture
async def anothers(others_key, held):
    """What another user's running response is called."""
    async with Client(others_key) as client:
        return await begin(client, held)


@pytest.mark.parametrize("kind", ["subscribe", "unsubscribe", "cancel"])
async def test_anothers_response_is_not_found(key, anothers, kind):
    async with Client(key) as client:
        error = await error_for(client, json.dumps({"type": kind, "response_id": anothers["response_id"]}))
    assert error["code"] == "not_found"
    run = await Run.objects.aget(pk=anothers["response_id"])
    assert (run.status, run.cancel_requested_at) == ("running", None)


@pytest.mark.parametrize(
    "where", [{"chat_id": "chat_id"}, {"parent_id": "response_id"}, {"parent_id": "message_id", "parts": None}]
)
async def test_nothing_starts_in_anothers_chat(key, anothers, where):
    named = {name: anothers[what] if what else None for name, what in where.items()}
    frame = {"type": "start", "request_id": "r1", "task": "demo", "parts": [{"content": "text"}], **named}
    async with Client(key) as client:
        assert (await error_for(client, json.dumps(frame)))["code"] == "not_found"
    assert await Message.objects.acount() == 2


async def test_anothers_key_for_a_request_is_no_key_to_it(key, others_key, anothers):
    async with Client(key) as client:
        started = await client.start(request_id=anothers["request_id"], task="demo")
    assert started["response_id"] != anothers["response_id"]


# Starts


async def test_the_same_start_attaches_while_it_runs_and_shows_it_from_the_beginning(key, held, gate):
    async with Client(key) as client, Client(key) as second:
        first = await begin(client, held, request_id="r1")
        again = await second.start(request_id="r1", task=held)
        assert again == {**first, "attached": True}
        gate.set()
        assert await second.events_to_end(first["response_id"]) == await client.events_to_end(first["response_id"])


async def test_the_same_start_twice_in_one_breath_is_one_run(key):
    async with Client(key) as client:
        for _ in range(2):
            await client.send(type="start", request_id="r1", task="demo", parts=[{"content": "text"}])
        first = await client.receive_until("started")
        second = await client.receive_until("started")
    assert second == {**first, "attached": True}


async def test_the_same_start_after_its_end_gives_the_stored_answer(key):
    async with Client(key) as client:
        _, events = await client.ask("text", task="demo", request_id="r1")
    async with Client(key) as client:
        again, replayed = await client.ask("text", task="demo", request_id="r1")
    assert again["attached"]
    assert [event["type"] for event in replayed] == [event["type"] for event in events]
    assert content(replayed) == content(events)


async def test_starts_are_answered_in_the_order_in_which_they_came(key):
    async with Client(key) as client:
        for number in range(8):
            await client.send(type="start", request_id=f"{number}", task="demo", parts=[{"content": "text"}])
        answered = [(await client.receive_until("started"))["request_id"] for _ in range(8)]
    assert answered == [str(number) for number in range(8)]


async def test_a_turned_off_handler_is_unavailable(key):
    from handlers.config_store import HandlerConfig

    await HandlerConfig.objects.acreate(name="demo", enabled=False)
    frame = {"type": "start", "request_id": "r1", "task": "demo", "parts": [{"content": "text"}]}
    async with Client(key) as client:
        error = await error_for(client, json.dumps(frame))
    assert (error["code"], error["request_id"]) == ("handler_unavailable", "r1")
    assert await nothing_is_stored()


async def test_a_persona_reaches_the_handler_as_its_text(key, register):
    async def body(self, persona):
        yield ContentEvent(content=persona)

    register(handler_class(body))
    persona = await Persona.objects.acreate(name="Pirate", prompt="Arr.")
    async with Client(key) as client:
        _, events = await client.ask(task="scripted", persona_id=str(persona.pk))
    assert content(events) == "Arr."
