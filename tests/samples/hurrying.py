"""Several things at once, shown as they complete; and one long answer in pieces."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from handlers import BaseTaskHandler
from handlers.events import BaseEvent, ContentEvent, ResponseEndEvent
from tests.samples.stepping import TideTables


class AllAtOnce(BaseTaskHandler):
    """Bare coroutines and nothing cancelled: what it leaves behind when it is stopped is cleared for it."""

    name = "all_at_once"
    description = "Asks for several places at the same time."

    def __init__(self, tide_tables_client: TideTables, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._tables = tide_tables_client

    async def handle(self, **kwargs: Any) -> AsyncGenerator[BaseEvent, None]:
        asked = [self._highest(place) for place in kwargs["user_message"].text.split()]
        for each in asyncio.as_completed(asked):
            yield ContentEvent(content=f"{await each}\n")
        yield ResponseEndEvent(status="completed")

    async def _highest(self, place: str) -> str:
        heights = await self._tables.heights(place)
        return f"{place}: {max(heights.values())} m"


class LongWinded(BaseTaskHandler):
    """A long text in pieces of a thousand characters, each with its index as its number."""

    name = "long_winded"
    description = "Says your text a thousand times."
    times = 1000
    size = 1000

    async def handle(self, user_message: Any, response_message_id: str) -> AsyncGenerator[BaseEvent, None]:
        text = await self._long_text(user_message.text)
        pieces = self._pieces(text, self.size)
        for index, piece in enumerate(pieces):
            yield ContentEvent(response_id=response_message_id, content=piece, sequence=index, emit=True, persist=True)
        yield ResponseEndEvent(response_id=response_message_id, status="completed", sequence=len(pieces))

    async def _long_text(self, text: str) -> str:
        return "\n".join(f"{number}. {text}" for number in range(self.times))

    def _pieces(self, text: str, size: int) -> list[str]:
        return [text[begin : begin + size] for begin in range(0, len(text), size)]
