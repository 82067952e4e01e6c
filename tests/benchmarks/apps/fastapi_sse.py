"""The comparison with FastAPI: an event stream a response, one event a delta, nothing stored.

Runs in the rivals' environment; its events carry what the other baselines' frames do.
"""

import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from tests.benchmarks.apps.answering import delta_frame
from tests.benchmarks.load import Load, paced

application = FastAPI()


@application.post("/stream")
async def stream(load: Load) -> StreamingResponse:
    return StreamingResponse(_events(load), media_type="text/event-stream")


async def _events(load: Load) -> AsyncIterator[str]:
    sequence = 0
    async for text in paced(load):
        sequence += 1
        yield f"data: {delta_frame('0' * 36, sequence, text, load.frame_bytes)}\n\n"
        await asyncio.sleep(0)  # sending needn't suspend: without this one stream would starve all
    yield "data: [DONE]\n\n"
