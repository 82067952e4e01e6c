"""Handlers that are in the middle of something when their server is told to stop."""

import asyncio
import time

from handlers import BaseTaskHandler
from handlers.events import ContentEvent


class Brief(BaseTaskHandler):
    name = "brief"
    description = "Needs another second after its first word."

    async def handle(self, user_message):
        yield ContentEvent(content="begun ")
        await asyncio.sleep(1)
        yield ContentEvent(content="ended")


class Endless(BaseTaskHandler):
    name = "endless"
    description = "Never ends by itself."

    async def handle(self, user_message):
        yield ContentEvent(content="begun ")
        await asyncio.sleep(3600)


class Blocked(BaseTaskHandler):
    name = "blocked"
    description = "Blocks its thread, where nothing can stop it."

    async def handle(self, user_message):
        yield ContentEvent(content="begun ")
        await asyncio.sleep(0.2)  # so that the word gets out
        time.sleep(3600)  # noqa: ASYNC251  (what it's for)
