"""The comparison with Chainlit: a message's tokens as its documentation streams them; in the rivals' environment."""

import asyncio

import chainlit

from tests.benchmarks.load import Load, paced


@chainlit.on_message
async def answer(message: chainlit.Message) -> None:
    reply = chainlit.Message(content="")
    async for text in paced(Load.from_text(message.content)):
        await reply.stream_token(text)
        await asyncio.sleep(0)  # sending needn't suspend: without this one stream would starve all
    await reply.send()
