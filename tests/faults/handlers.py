"""The handlers that driven servers run, loaded by WORKBENCH_EXTRA_HANDLERS."""

import asyncio
import time
from collections.abc import AsyncGenerator

from handlers.base import BaseTaskHandler
from handlers.events import BaseEvent, ContentEvent, StatusEvent
from handlers.messages import Message
from tests.faults.recital import Order, recital

FLOOD_EVENTS, FLOOD_TEXT = 850, "x" * (256 * 1024)  # over 200 MB


class CooperativeReciter(BaseTaskHandler):
    """Recites its order on the shared loop."""

    name = "reciter-cooperative"
    description = "Recites what it is ordered, and never blocks."
    cooperative = True

    async def handle(self, user_message: Message) -> AsyncGenerator[BaseEvent, None]:
        order = Order.from_text(user_message.text)
        for event in recital(order):
            yield event
            if order.per_second:
                await self.pause(1 / order.per_second)

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class BlockingReciter(CooperativeReciter):
    """The same on a loop of its own, blocking it, as synchronous SDKs do."""

    name = "reciter-blocking"
    description = "Recites what it is ordered, and blocks its thread between words."
    cooperative = False

    async def pause(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - what it's for


class Flood(BaseTaskHandler):
    """Says over 200 MB that are stored and sent, but leave no trace in the message's parts."""

    name = "flood"
    description = "Says far more than anybody reads."

    async def handle(self, user_message: Message) -> AsyncGenerator[BaseEvent, None]:
        for number in range(FLOOD_EVENTS):
            yield StatusEvent(status=str(number), message=FLOOD_TEXT)
        yield ContentEvent(content="All of it was said.")


class Poison(BaseTaskHandler):
    """Fails with a text that no database takes."""

    name = "poison"
    description = "Raises an error whose text can't be stored as it is."

    async def handle(self, user_message: Message) -> AsyncGenerator[BaseEvent, None]:
        yield ContentEvent(content="begun")
        raise RuntimeError("half a character: \ud800, and a NUL: \0")


EXTRA_HANDLERS = ",".join(
    f"{__name__}.{handler.__name__}" for handler in (CooperativeReciter, BlockingReciter, Flood, Poison)
)
