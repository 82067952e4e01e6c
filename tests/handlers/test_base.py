"""The contract of a handler class, and calling one with what its signature takes."""

import functools
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from handlers import BaseTaskHandler
from handlers.base import HANDLE_PARAMETERS, call_handle, read_name, require_handler_class
from handlers.events import BaseEvent, ContentEvent
from tests.handlers import samples

EVERYTHING = {name: name.upper() for name in HANDLE_PARAMETERS}


class TakesTwo(samples.Greeter):
    async def handle(self, chat_id: str, user_id: str, spare: int = 3) -> AsyncGenerator[BaseEvent, None]:
        yield ContentEvent(content=f"{chat_id} {user_id} {spare}")


class TakesAll(samples.Greeter):
    async def handle(self, **everything: Any) -> AsyncGenerator[BaseEvent, None]:
        yield ContentEvent(content=" ".join(sorted(everything)))


async def _only_text(events: AsyncGenerator[BaseEvent, None]) -> str:
    return "".join([event.content async for event in events if isinstance(event, ContentEvent)])


async def test_a_handler_gets_the_names_that_it_takes() -> None:
    assert await _only_text(call_handle(TakesTwo(), **EVERYTHING)) == "CHAT_ID USER_ID 3"


async def test_a_handler_with_keywords_gets_everything() -> None:
    assert await _only_text(call_handle(TakesAll(), **EVERYTHING)) == " ".join(sorted(HANDLE_PARAMETERS))


async def test_a_decorated_handle_is_called_through_its_decorator() -> None:
    def shouting(handle: Any) -> Any:
        @functools.wraps(handle)
        async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[BaseEvent, None]:
            async for event in handle(*args, **kwargs):
                event.content = event.content.upper()
                yield event

        return wrapper

    class Shouting(TakesTwo):
        handle = shouting(TakesTwo.handle)

    require_handler_class(Shouting)
    assert await _only_text(call_handle(Shouting(), chat_id="a", user_id="b")) == "A B 3"


def test_a_handle_that_gives_no_generator_is_a_type_error_and_leaves_no_coroutine() -> None:
    with pytest.raises(TypeError, match="gave a coroutine, not an async generator"):
        call_handle(samples.ReturnsText(), **EVERYTHING)


def test_the_base_class_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract"):
        BaseTaskHandler()  # type: ignore[abstract]


def test_the_base_constructor_takes_an_optional_dynamodb_client() -> None:
    assert samples.Greeter().dynamodb_client is None
    assert samples.Greeter(dynamodb_client="db").dynamodb_client == "db"


def test_a_name_is_read_from_class_property_and_instance() -> None:
    names = [read_name(each) for each in (samples.Greeter, samples.PropertyNamed, samples.NamedInConstructor())]
    assert names == ["greeter", "property_named", "late"]


def test_a_name_that_needs_the_constructor_is_refused() -> None:
    with pytest.raises(TypeError, match="can't be read before the constructor has run"):
        read_name(samples.NamedInConstructor)


@pytest.mark.parametrize("name", ["", "Two Words", "über", "-a", "a" * 65, None, 3])
def test_a_name_that_is_no_slug_is_refused(name: Any) -> None:
    with pytest.raises(TypeError, match="name must be "):
        read_name(type("Odd", (samples.Greeter,), {"name": name}))


def _with_handle(handle: Any) -> Any:
    return type("Odd", (samples.Greeter,), {"handle": handle})


async def _positional(self: Any, chat_id: str, /) -> AsyncGenerator[BaseEvent, None]:
    yield ContentEvent(content=chat_id)


@pytest.mark.parametrize(
    ("handler_class", "message"),
    [
        (samples.NOT_A_HANDLER, "isn't a subclass of handlers.BaseTaskHandler"),
        (str, "isn't a subclass"),
        (samples.Nameless, "lacks name"),
        (samples.ReturnsText, "isn't an async generator function"),
        (_with_handle(lambda self: iter([])), "isn't an async generator function"),
        (samples.WantsTooMuch, "requires weather, which nobody gives"),
        (_with_handle(_positional), "positional-only"),
        (type("Odd", (samples.Greeter,), {"Config": dict}), r"Config isn't a subclass of pydantic.BaseModel"),
        (type("Odd", (samples.Greeter,), {"UserOptions": 42}), "UserOptions isn't a subclass"),
    ],
)
def test_a_class_that_cannot_work_is_refused_with_the_reason(handler_class: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        require_handler_class(handler_class)
