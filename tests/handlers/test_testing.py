"""The test kit that handlers' authors use."""

import pytest

from handlers.errors import UnknownHandler
from handlers.events import ContentEvent
from handlers.registry import registry
from handlers.testing import collect, conversation, registered, text_of
from tests.handlers import samples


async def test_a_handler_runs_without_anything_around_it() -> None:
    assert await collect(samples.Greeter(), "Ann") == [ContentEvent(content="Hello! You said: Ann")]


async def test_options_have_their_defaults() -> None:
    class Measured(samples.Configured):
        async def handle(self, options):  # type: ignore[no-untyped-def, override]
            yield ContentEvent(content=str(options.length))

    assert text_of(await collect(Measured(Measured.Config()))) == "100"


def test_hidden_content_is_not_in_the_text() -> None:
    assert text_of([ContentEvent(content="a"), ContentEvent(content="b", emit=False)]) == "a"


def test_a_conversation_goes_by_turns() -> None:
    assert [message.kind for message in conversation("a", "b", "c")] == ["request", "response", "request"]


def test_a_handler_is_registered_for_a_while() -> None:
    with registered(samples.Greeter) as (entry,):
        assert registry.get("greeter") is entry
    with pytest.raises(UnknownHandler):
        registry.get("greeter")


def test_a_refused_handler_takes_those_before_it_along() -> None:
    with pytest.raises(ValueError, match="taken"), registered(samples.Greeter, samples.OtherGreeter):
        pytest.fail("never here")
    assert "greeter" not in registry.names()
