"""A workflow with a service of the project's own: analyse, ask the service as a tool, write; and its client.

No tool ids: the return belongs to the last open call of its tool. Some events have no number, others the wrong one.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import aiohttp
from django.conf import settings

from handlers import BaseTaskHandler
from handlers.errors import ClientUnavailable
from handlers.events import BaseEvent, ContentEvent, ResponseEndEvent, StatusEvent, ToolCallEvent, ToolReturnEvent
from handlers.messages import Message


class TideTables:
    """The client of a service that knows when the sea is high. Registered as `tide_tables`."""

    @staticmethod
    def missing() -> str | None:
        """What it lacks to be used."""
        return None if getattr(settings, "TIDE_TABLES_URL", "") else "TIDE_TABLES_URL isn't set."

    async def heights(self, place: str) -> dict[str, float]:
        """Hour to metres. Raises ClientUnavailable when the service has no answer."""
        timeout = aiohttp.ClientTimeout(total=10)
        async with (
            aiohttp.ClientSession(settings.TIDE_TABLES_URL, timeout=timeout) as session,
            session.get("/heights", params={"place": place}) as response,
        ):
            if response.status != 200:
                raise ClientUnavailable("tide_tables", f"The service answered {response.status}.")
            heights: dict[str, float] = await response.json()
            return heights


@dataclass
class SpringTideEvent(BaseEvent):
    """An event of the project's own, with a bare decorator and a field without a default."""

    place: str
    metres: float
    heights: dict[str, float]


class TidePilot(BaseTaskHandler):
    """Three steps, each shown."""

    name = "tide_pilot"
    description = "Says when the sea is high."

    def __init__(self, tide_tables_client: TideTables, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._tables = tide_tables_client

    async def handle(self, **kwargs: Any) -> AsyncGenerator[BaseEvent, None]:
        response_id = kwargs["response_message_id"]
        yield StatusEvent(response_id=response_id, message="Step 1: reading the question…")
        place = await self._place_in(kwargs["user_message"])
        yield StatusEvent(response_id=response_id, message="Step 2: asking the tide tables…")
        yield ToolCallEvent(response_id=response_id, tool_name="tide_tables", tool_args={"place": place}, sequence=1)
        heights = await self._tables.heights(place)
        yield ToolReturnEvent(response_id=response_id, tool_name="tide_tables", result=heights, sequence=1)
        yield StatusEvent(response_id=response_id, message="Step 3: writing…")
        hour = max(heights, key=lambda each: heights[each])
        yield SpringTideEvent(response_id=response_id, place=place, metres=heights[hour], heights=heights, sequence=-7)
        yield ContentEvent(response_id=response_id, content=f"In {place} the sea is highest at {hour}.", sequence=3)
        yield ResponseEndEvent(response_id=response_id, status="completed", sequence=4)

    async def _place_in(self, message: Message) -> str:
        return message.text.split()[-1].strip("?.!")
