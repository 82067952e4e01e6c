"""What every provider's model is given of attachments by the chat handler, on a stand-in that checks the request."""

import base64
import json
from typing import Any

import pytest

from handlers.builtin.chat import ChatHandler
from handlers.messages import ImagePart, Message, MessagePart
from handlers.testing import attachment, collect, text_of
from tests.contract.providers import ProviderUnderTest
from tests.standins.behaviour import Behaviour, ask_for

PNG = b"\x89PNG\r\n\x1a\n"


def _image(name: str = "photo.png") -> ImagePart:
    read = attachment(name, PNG).reader
    return ImagePart(file_id="1", name=name, mime_type="image/png", size=len(PNG), reader=read)


async def _asked(tested: ProviderUnderTest, *parts: MessagePart, history: Any = (), model_id: str = "") -> list[Any]:
    request = Message(id="now", parts=[*parts, MessagePart(content=ask_for(Behaviour(say="Seen.")))])
    return await collect(ChatHandler(), request, message_history=list(history), model_id=model_id or tested.model_id)


def _last_content(tested: ProviderUnderTest) -> str:
    return json.dumps(tested.seen[-1].body["messages"], ensure_ascii=False)


@pytest.fixture
def seeing(tested: ProviderUnderTest, settings: Any) -> str:
    """A model that sees."""
    if tested.name == "bedrock":
        return tested.model_id
    settings.WORKBENCH_OPENAI_MODELS = ["stand-in-vl"]
    return "stand-in-vl"


async def test_an_image_is_given_to_a_model_that_sees(tested: ProviderUnderTest, seeing: str) -> None:
    events = await _asked(tested, _image(), model_id=seeing)
    assert [event.message for event in events if event.type == "error"] == []
    assert text_of(events) == "Seen."
    assert base64.b64encode(PNG).decode().rstrip("=") in _last_content(tested)
    assert "photo.png" in _last_content(tested)


async def test_an_image_of_an_earlier_turn_is_given_again(tested: ProviderUnderTest, seeing: str) -> None:
    history = [
        Message(id="1", parts=[_image()]),
        Message(id="2", kind="response", parts=[MessagePart(content="A dot.")]),
    ]
    assert text_of(await _asked(tested, history=history, model_id=seeing)) == "Seen."
    assert base64.b64encode(PNG).decode().rstrip("=") in _last_content(tested)


async def test_a_text_file_is_given_with_its_words_or_as_a_document(tested: ProviderUnderTest) -> None:
    events = await _asked(tested, attachment("notes.txt", b"Buy milk.", "text/plain"))
    assert text_of(events) == "Seen."
    content = _last_content(tested)
    assert "Buy milk." in content or base64.b64encode(b"Buy milk.").decode() in content


async def test_what_a_model_cannot_take_is_told_to_it_and_to_the_user(tested: ProviderUnderTest) -> None:
    events = await _asked(tested, attachment("a.zip", b"PK", "application/zip"))
    (error,) = [event for event in events if event.type == "error"]
    assert error.message == "The model wasn't given “a.zip”: it can't read files of this type."
    assert events.index(error) < next(at for at, event in enumerate(events) if event.type == "content")
    assert (text_of(events), events[-1].status) == ("Seen.", "completed")
    assert "The user attached “a.zip”" in _last_content(tested)
