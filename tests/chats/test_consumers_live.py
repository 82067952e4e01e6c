"""What sockets are sent while answers are written: replays, cancels, hints."""

import asyncio
import json

import pytest

from chats import gathering
from chats.models import Run
from handlers.events import ContentEvent, ErrorEvent, StatusEvent
from tests.chats.live import Client, begin, content
from tests.chats.scripted import HELLO, handler_class

# Following


async def test_hello_names_what_runs_and_from_there_one_can_follow_without_a_gap(key, held, gate):
    async with Client(key) as client:
        started = await begin(client, held)
        async with Client(key) as second:
            (running,) = second.hello["running"]
            assert running == {**{name: started[name] for name in ("chat_id", "response_id")}, "sequence": 1}
            await second.send(type="subscribe", response_id=running["response_id"], after=running["sequence"])
            gate.set()
            end = await second.receive_until("events", after=running["sequence"])
            while end["events"][-1]["type"] != "response_end":
                end = await second.receive_until("events")
            assert content(second.events(started["response_id"], after=1)) == " and goodbye"


@pytest.mark.parametrize("after", [-1, 0, 1, 2])
async def test_a_finished_response_is_replayed_from_any_place(key, after):
    async with Client(key) as client:
        started, events = await client.ask("text", task="demo")
        await client.send(type="subscribe", response_id=started["response_id"], after=after)
        replay = await client.receive_until("events", response_id=started["response_id"])
    assert (replay["after"], replay["through"]) == (after, len(events) - 1)
    assert replay["events"] == events[after + 1 :]


async def test_a_cursor_beyond_the_log_starts_over(key):
    async with Client(key) as client:
        started, events = await client.ask("text", task="demo")
        await client.send(type="subscribe", response_id=started["response_id"], after=999)
        replay = await client.receive_until("events", response_id=started["response_id"])
    assert (replay["reset"], replay["after"]) == (True, -1)
    assert replay["events"] == events


def spelling(text):
    """A handler that says a letter at a time, each in a commit of its own."""

    async def body(self):
        for letter in text:
            yield ContentEvent(content=letter)
            await asyncio.sleep(0.02)

    return handler_class(body)


async def test_merged_deltas_say_what_they_stand_for(key, register):
    register(spelling("abc"))
    async with Client(key) as client:
        started, events = await client.ask(task="scripted")
        await client.send(type="subscribe", response_id=started["response_id"], merge=True)
        replay = await client.receive_until("events", response_id=started["response_id"], after=-1)
    (merged,) = [event for event in replay["events"] if event["type"] == "content"]
    deltas = [event["sequence"] for event in events if event["type"] == "content"]
    assert merged["content"] == "abc"
    assert [merged.get("first_sequence", merged["sequence"]), merged["sequence"]] == [deltas[0], deltas[-1]]


async def test_a_start_may_ask_for_its_deltas_merged_and_may_be_sent_again_without(key, register, monkeypatch):
    monkeypatch.setattr(gathering, "GAP", 60.0)

    register(spelling("abcdef"))
    async with Client(key) as client:
        started, events = await client.ask(task="scripted", request_id="once", merge=True)
        said = [event for event in events if event["type"] == "content"]
        assert len(said) <= 2
        assert "".join(event["content"] for event in said) == "abcdef"
        again = await client.start(task="scripted", request_id="once")
        assert (again["response_id"], again["attached"]) == (started["response_id"], True)


async def test_who_unsubscribed_hears_no_more_of_it(key, held, gate):
    async with Client(key) as client, Client(key) as second:
        started = await begin(client, held)
        response_id = started["response_id"]
        await second.send(type="subscribe", response_id=response_id)
        await second.receive_until("events", response_id=response_id)
        await second.send(type="unsubscribe", response_id=response_id)
        answer = await second.receive_until("unsubscribed")
        assert (answer["response_id"], answer["status"]) == (response_id, "running")
        heard = len(second.frames)
        gate.set()
        await client.events_to_end(response_id)
        await second.receive_until("run", response_id=response_id, status="completed")
        assert [frame["type"] for frame in second.frames[heard:] if frame["type"] == "events"] == []


async def test_who_unsubscribed_may_subscribe_again_where_he_was(key, held, gate):
    async with Client(key) as client:
        started = await begin(client, held)
        response_id = started["response_id"]
        await client.send(type="unsubscribe", response_id=response_id)
        await client.receive_until("unsubscribed")
        gate.set()
        await client.receive_until("run", response_id=response_id, status="completed")
        await client.send(type="subscribe", response_id=response_id, after=1)
        assert content(await client.events_to_end(response_id)) == "hello and goodbye"


async def test_subscribing_twice_shows_each_event_once(key, held, gate):
    async with Client(key) as client:
        started = await begin(client, held)
        for _ in range(3):
            await client.send(type="subscribe", response_id=started["response_id"], after=1)
        gate.set()
        events = await client.events_to_end(started["response_id"])
    assert [event["sequence"] for event in events] == list(range(len(events)))


async def test_a_long_replay_holds_up_no_pong(key, register):
    async def body(self):
        for _ in range(20):
            yield StatusEvent(message="x" * 200_000)
        yield HELLO

    register(handler_class(body))
    async with Client(key) as client:
        started, _ = await client.ask(task="scripted")
    async with Client(key) as client:
        await client.send(type="subscribe", response_id=started["response_id"])
        await client.send(type="ping")
        await client.receive_until("pong")
        assert len(client.events(started["response_id"])) < 20
        assert len(await client.events_to_end(started["response_id"])) == 23


async def test_hidden_events_are_never_sent_and_leave_no_gap(key, register):
    async def body(self):
        yield ContentEvent(content="a")
        yield ContentEvent(content="secret", emit=False)
        yield ContentEvent(content="b")

    register(handler_class(body))
    async with Client(key) as client:
        started, events = await client.ask(task="scripted")
        await client.send(type="subscribe", response_id=started["response_id"])
        replay = await client.receive_until("events", response_id=started["response_id"], after=-1)
    assert content(events) == content(replay["events"]) == "ab"
    assert "secret" not in json.dumps(client.frames)


async def test_an_errors_details_are_never_sent(key, register):
    async def body(self):
        yield ErrorEvent(error_type="lost", message="It got lost.", details="secret")

    register(handler_class(body))
    async with Client(key) as client:
        _, events = await client.ask(task="scripted")
    assert events[1] == {"type": "error", "sequence": 1, "error_type": "lost", "message": "It got lost."}


# Cancels


async def test_another_socket_of_the_user_may_cancel(key, held):
    async with Client(key) as client, Client(key) as second:
        started = await begin(client, held)
        await second.send(type="cancel", response_id=started["response_id"])
        assert (await second.receive_until("cancelled"))["response_id"] == started["response_id"]
        events = await client.events_to_end(started["response_id"])
    assert (events[-1]["status"], content(events)) == ("cancelled", "hello")


async def test_a_cancel_before_the_first_token_ends_it(key, register):
    async def body(self):
        await asyncio.sleep(60)
        yield HELLO

    register(handler_class(body))
    async with Client(key) as client:
        started = await client.start(task="scripted")
        await client.send(type="cancel", response_id=started["response_id"])
        events = await client.events_to_end(started["response_id"])
    assert [event["type"] for event in events] == ["response_start", "response_end"]


async def test_cancelling_twice_or_after_the_end_says_how_it_stands(key, held):
    async with Client(key) as client:
        started = await begin(client, held)
        for _ in range(2):
            await client.send(type="cancel", response_id=started["response_id"])
            await client.receive_until("cancelled")
        events = await client.events_to_end(started["response_id"])
        await client.send(type="cancel", response_id=started["response_id"])
        assert (await client.receive_until("cancelled"))["status"] == "cancelled"
    assert [event["type"] for event in events].count("response_end") == 1


async def test_cancelling_what_has_completed_changes_nothing(key):
    async with Client(key) as client:
        started, _ = await client.ask("text", task="demo")
        await client.send(type="cancel", response_id=started["response_id"])
        assert (await client.receive_until("cancelled"))["status"] == "completed"
    assert (await Run.objects.aget(pk=started["response_id"])).status == "completed"


# Hints


async def test_a_second_tab_hears_of_a_new_chat_and_of_its_runs_start_and_end(key, held, gate):
    async with Client(key) as client, Client(key) as second:
        started = await begin(client, held, text="What is it?")
        gate.set()
        await client.events_to_end(started["response_id"])
        while [frame["type"] for frame in second.frames].count("run") < 2:
            await second.receive()
        runs = [frame for frame in second.frames if frame["type"] == "run"]
        (chat,) = [frame for frame in second.frames if frame["type"] == "chat"]
    assert chat["change"] == "created"
    assert (chat["chat"]["id"], chat["chat"]["title"]) == (started["chat_id"], "What is it?")
    assert chat["chat"]["running"] == [started["response_id"]]
    assert [(run["status"], run["sequence"]) for run in runs] == [("running", 0), ("completed", 3)]


async def test_a_further_question_is_an_update_of_its_chat(key):
    async with Client(key) as client:
        started, _ = await client.ask("text", task="demo")
        await client.ask("text", task="demo", chat_id=started["chat_id"])
        changes = [frame["change"] for frame in client.frames if frame["type"] == "chat"]
    assert changes == ["created", "updated"]


async def test_no_other_user_hears_anything(key, others_key):
    async with Client(key) as client, Client(others_key) as theirs:
        await client.ask("text", task="demo")
        await theirs.send(type="ping")
        await theirs.receive_until("pong")
    assert [frame["type"] for frame in theirs.frames] == ["hello", "pong"]
