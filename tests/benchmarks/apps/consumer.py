"""What an application with Channels alone does: a consumer that sends each event itself, or through a group.

BENCHMARK_LAYER says which: nothing (sent at once), `memory` for the in-memory layer, or the URL of a Redis.
"""

import asyncio
import json
import os
import uuid
from typing import Any

import django
from django.conf import settings

LAYER = os.environ.get("BENCHMARK_LAYER", "")
# As it ships it drops what is beyond a hundred messages, without a word: nothing may be lost here.
IN_MEMORY = {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000_000}}
IN_REDIS = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [LAYER]}}

settings.configure(
    SECRET_KEY="a benchmark's",
    CHANNEL_LAYERS={"default": IN_MEMORY if LAYER == "memory" else IN_REDIS} if LAYER else {},
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402

from tests.benchmarks.apps.answering import answer_one, send_frame  # noqa: E402
from tests.benchmarks.load import Load  # noqa: E402


class Answering(AsyncWebsocketConsumer):
    """One socket, one group."""

    async def connect(self) -> None:
        await self.accept()
        self.group = f"answer.{uuid.uuid4().hex}"
        if LAYER:
            await self.channel_layer.group_add(self.group, self.channel_name)
        await send_frame(self.base_send, {"type": "hello", "protocol": 1, "user_id": "", "running": []})

    async def disconnect(self, code: int) -> None:
        if LAYER:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        request = json.loads(text_data or "")
        load = Load.from_text(request["parts"][0]["content"])
        send = self.tell_group if LAYER else self.base_send
        # Beside the consumer, which has to take what the group is told.
        self.answering = asyncio.create_task(answer_one(request["request_id"], load, send, None))

    async def tell_group(self, message: dict[str, Any]) -> None:
        await self.channel_layer.group_send(self.group, {"type": "answer.frame", "text": message["text"]})

    async def answer_frame(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])


application = Answering.as_asgi()
