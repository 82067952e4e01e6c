"""The websocket conversation that the comparison servers share: hello, one start at a time, framed deltas, end.

Each frame of one delta is as long as the product's own (`Load.frame_bytes`), so that equal work is compared.
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from tests.benchmarks.load import Load, paced

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Store = Callable[[str, int, str], Awaitable[None]]


async def answer(receive: Receive, send: Send, store: Store | None = None) -> None:
    """Serves one websocket; `store(response_id, sequence, text)` is awaited before each delta is sent."""
    await receive()
    await send({"type": "websocket.accept"})
    await send_frame(send, {"type": "hello", "protocol": 1, "user_id": "", "running": []})
    while (message := await receive())["type"] == "websocket.receive":
        request = json.loads(message["text"])
        await answer_one(request["request_id"], Load.from_text(request["parts"][0]["content"]), send, store)


async def answer_one(request_id: str, load: Load, send: Send, store: Store | None) -> None:
    """Streams one load as response_start, one frame per delta, response_end."""
    response_id = str(uuid.uuid4())
    await send_frame(send, {"type": "started", "request_id": request_id, "response_id": response_id})
    start = {"type": "response_start", "sequence": 0, "request_id": request_id}
    await send_frame(send, _events_frame(response_id, 0, start))
    sequence = 0
    async for text in paced(load):
        sequence += 1
        if store:
            await store(response_id, sequence, text)
        await send({"type": "websocket.send", "text": delta_frame(response_id, sequence, text, load.frame_bytes)})
        if sequence % load.frames_per_turn == 0:
            await asyncio.sleep(0)  # sending never suspends on daphne: without this one stream would starve all
    end = {"type": "response_end", "sequence": sequence + 1, "status": "completed"}
    await send_frame(send, _events_frame(response_id, sequence + 1, end))


async def send_frame(send: Send, frame: dict[str, Any]) -> None:
    await send({"type": "websocket.send", "text": json.dumps(frame)})


def _events_frame(response_id: str, sequence: int, event: dict[str, Any]) -> dict[str, Any]:
    covers = {"after": sequence - 1, "through": sequence}
    return {"type": "events", "response_id": response_id, **covers, "events": [event]}


def delta_frame(response_id: str, sequence: int, text: str, size: int) -> str:
    """Written out rather than dumped, to leave the baseline little but sending; padded with JSON's white space."""
    covers = f'"response_id":"{response_id}","after":{sequence - 1},"through":{sequence}'
    event = f'{{"type":"content","sequence":{sequence},"content":"{text}"}}'
    return f'{{"type":"events",{covers},"events":[{event}]}}'.ljust(size)
