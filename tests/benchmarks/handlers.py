"""The handlers that the product runs under load, loaded by WORKBENCH_EXTRA_HANDLERS: they say what a Load asks for."""

from collections.abc import AsyncGenerator

from handlers.base import BaseTaskHandler
from handlers.events import BaseEvent, ContentEvent, StatusEvent
from handlers.messages import Message
from tests.benchmarks.load import Load, paced


class CooperativeSpeaker(BaseTaskHandler):
    """Never blocks, so it may share the handlers' loop."""

    name = "benchmark-cooperative"
    description = "Says a benchmark's load on the shared loop."
    cooperative = True

    async def handle(self, user_message: Message) -> AsyncGenerator[BaseEvent, None]:
        async for text in paced(Load.from_text(user_message.text)):
            yield ContentEvent(content=text)


class OwnLoopSpeaker(CooperativeSpeaker):
    """The same on a thread and loop of its own, as handlers run that promise nothing."""

    name = "benchmark-own-loop"
    description = "Says a benchmark's load on a loop of its own."
    cooperative = False


class SpeakerInRows(BaseTaskHandler):
    """Two rows of the log for each delta: no two texts meet, so none are merged."""

    name = "benchmark-rows"
    description = "Says a benchmark's load with a status after each delta."
    cooperative = True

    async def handle(self, user_message: Message) -> AsyncGenerator[BaseEvent, None]:
        async for text in paced(Load.from_text(user_message.text)):
            yield ContentEvent(content=text)
            yield StatusEvent(status="step", message=text)
