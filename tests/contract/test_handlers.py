"""What every registered handler keeps, whoever wrote it.

Also for a project's own: WORKBENCH_TEST_HANDLERS=my_package.MyHandler pytest tests/contract/test_handlers.py
"""

import asyncio
import json
import os
from contextlib import aclosing
from typing import Any

import pytest
from django.utils.module_loading import import_string

from chats.runs import cancel_run
from handlers.base import HANDLE_PARAMETERS, BaseTaskHandler, call_handle
from handlers.encoding import canonical_json, encode_event
from handlers.events import BaseEvent, ResponseEndEvent, ResponseStartEvent
from handlers.messages import Message, MessagePart
from handlers.registry import registry
from handlers.testing import attachment, collect, conversation
from tests.chats.live import make_user
from tests.chats.scripted import run_to_end, start, wait_for_end

A_TEXT = "The sea rises and falls twice a day, drawn by the moon and the sun. " * 8
REQUESTS = {
    "plain": "What is a log?",
    "empty": "",
    "complex": "complex",
    "recovering": "error recover",
    "odd characters": "NUL \0, half a pair \ud800, \u202eright to left, \U0001f469\u200d\U0001f467",
    "with a text": f"Why does the sea rise?\n\n{A_TEXT}",
    "long": "A sentence of seven words, over again. " * 5_000,
}

for path in filter(None, os.environ.get("WORKBENCH_TEST_HANDLERS", "").split(",")):
    registry.register(import_string(path))

pytestmark = pytest.mark.django_db
every_handler = pytest.mark.parametrize("name", registry.names())


@pytest.fixture(autouse=True)
def _without_pauses(settings: Any) -> None:
    settings.WORKBENCH_HANDLER_OPTIONS = {"demo": {"pace": "0"}}


@pytest.fixture
def handler(name: str) -> BaseTaskHandler:
    """Built as for a run."""
    availability = registry.availability(name)
    if not availability.available:
        pytest.skip(f"{name}: {availability.reason}")
    return registry.build(name)


def _values(text: str = "Hello") -> dict[str, Any]:
    return {
        "chat_id": "chat",
        "message_history": conversation("An earlier question", "Its answer", "A cancelled one", ""),
        "user_message": Message(parts=[MessagePart(content=text), attachment("a.txt", b"hello", "text/plain")]),
        "model_id": "offline",
        "response_message_id": "response",
        "context": [{"type": "note", "title": "Note", "content": "Some text."}],
        "persona": "You are brief.",
        "user_id": "user",
        "user_groups": ["team"],
        "options": None,
    }


@every_handler
def test_it_can_be_described(name: str) -> None:
    entry = registry.get(name)
    assert entry.description.strip()
    assert entry.label.strip()
    assert entry.version != "unknown"
    assert json.dumps(entry.options_schema)
    assert isinstance(entry.cooperative, bool)


@every_handler
def test_each_run_has_an_instance_of_its_own(handler: BaseTaskHandler, name: str) -> None:
    assert registry.build(name) is not handler


@every_handler
@pytest.mark.parametrize("request_name", REQUESTS)
async def test_it_ends_and_yields_events_that_can_be_stored(handler: BaseTaskHandler, request_name: str) -> None:
    events = await collect(handler, **{"request": "", **_values(REQUESTS[request_name])})
    assert events
    for event in events:
        assert isinstance(event, BaseEvent)
        assert not isinstance(event, ResponseStartEvent)
        canonical_json(encode_event(event).fields).encode()
    assert not any(isinstance(event, ResponseEndEvent) for event in events[:-1])


@every_handler
async def test_it_needs_no_history_context_persona_or_options(handler: BaseTaskHandler) -> None:
    assert await collect(handler, "Hello")


@every_handler
async def test_it_can_be_closed_after_any_of_its_first_events(handler: BaseTaskHandler) -> None:
    before = asyncio.all_tasks()
    for stop_after in range(5):
        stream = call_handle(handler, **_values("complex"))
        for _ in range(stop_after):
            await anext(stream, None)
        await stream.aclose()  # raises RuntimeError when it yields on instead
    assert asyncio.all_tasks() == before


@every_handler
async def test_a_cancelled_run_stops(handler: BaseTaskHandler) -> None:
    async def run() -> None:
        while True:  # until it is cancelled, however short its answers are
            async with aclosing(call_handle(handler, **_values("slow 1"))) as stream:
                async for _ in stream:
                    await asyncio.sleep(0)

    task = asyncio.create_task(run())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@every_handler
async def test_runs_at_the_same_time_do_not_disturb_each_other(handler: BaseTaskHandler, name: str) -> None:
    texts = [f"text number {number}" for number in range(5)]
    alone = [await collect(handler, text) for text in texts]
    together = await asyncio.gather(*[collect(handler, text) for text in texts])
    assert [[event.type for event in events] for events in together] == [
        [event.type for event in events] for events in alone
    ]


@every_handler
def test_its_signature_takes_only_what_is_given(name: str) -> None:
    call_handle(registry.build(name), **dict.fromkeys(HANDLE_PARAMETERS))


@every_handler
def test_through_the_product_it_ends_once_and_is_stored_as_it_was_said(name: str, engine: Any) -> None:
    if not registry.availability(name).available:
        pytest.skip(f"{name} isn't available")
    answer = run_to_end(make_user(), name, REQUESTS["with a text"])
    assert answer.outcome[0] in {"completed", "error"}  # asks for the one end, last, and numbers without a gap
    assert answer.message.sequence == answer.log[-1].sequence


@every_handler
def test_through_the_product_it_can_be_stopped(name: str, engine: Any) -> None:
    if not registry.availability(name).available:
        pytest.skip(f"{name} isn't available")
    user = make_user()
    response_id = start(user, name, "slow 5")
    cancel_run(user, response_id)
    assert wait_for_end(response_id).outcome[0] in {"cancelled", "completed", "error"}
