"""A handler for other processes to watch: it counts, for as long as a test wants."""

import asyncio

from handlers.base import BaseTaskHandler
from handlers.events import ContentEvent


class CountingHandler(BaseTaskHandler):
    """Counts aloud, up to the number that it is asked for."""

    name = "counting"
    description = "Counts aloud."
    cooperative = True

    async def handle(self, chat_id, message_history, user_message, model_id, response_message_id):
        for number in range(int(user_message.text)):
            yield ContentEvent(content=f"{number} ")
            await asyncio.sleep(0.01)
