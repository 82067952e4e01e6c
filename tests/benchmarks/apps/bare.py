"""The baseline: a raw ASGI websocket application that stores nothing and sends each delta as one encoded frame."""

from typing import Any

from tests.benchmarks.apps.answering import Receive, Send, answer


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await answer(receive, send)
