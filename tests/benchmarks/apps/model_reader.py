"""Reads a stand-in's answers with one client, and prints what a token cost: `… CLIENT URL STREAMS WORDS PAUSE`.

Each client has a process of its own. `openai-sdk` needs only the `openai` package: it runs in an environment that has
nothing else, so what a client needs is imported in its function.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from tests.standins.leading import MODELS, leads_to

Ask = Callable[[str], Awaitable[int]]  # asks once, reads to the end; gives the number of pieces of text


def product(provider: str, url: str) -> Ask:
    """The product's own provider, as its handlers use it."""
    os.environ.update({**leads_to(provider, url), "DEBUG": "on", "DJANGO_SETTINGS_MODULE": "workbench.settings"})
    os.environ["WORKBENCH_LOG_LEVEL"] = "WARNING"
    import django

    django.setup()
    from handlers.models import ModelRequest, provider_for

    async def ask(text: str) -> int:
        messages = [{"role": "user", "content": [{"text": text}]}]
        stream = provider_for(MODELS[provider]).stream(ModelRequest(model_id=MODELS[provider], messages=messages))
        deltas = [event async for event in stream if "text" in event.get("contentBlockDelta", {}).get("delta", {})]
        return len(deltas)

    return ask


def plain_boto3(url: str, streams: int) -> Ask:
    """boto3 in as many threads, and nothing from there to the event loop."""
    os.environ.update(leads_to("bedrock", url))
    import boto3
    from botocore.config import Config

    region = os.environ["AWS_REGION"]
    client = boto3.Session(region_name=region).client("bedrock-runtime", config=Config(max_pool_connections=streams))
    pool = ThreadPoolExecutor(streams)

    def read(text: str) -> int:
        messages = [{"role": "user", "content": [{"text": text}]}]
        stream = client.converse_stream(modelId=MODELS["bedrock"], messages=messages)["stream"]
        return sum("text" in event.get("contentBlockDelta", {}).get("delta", {}) for event in stream)

    async def ask(text: str) -> int:
        return await asyncio.get_running_loop().run_in_executor(pool, read, text)

    return ask


def openai_sdk(url: str) -> Ask:
    """OpenAI's own client for asyncio."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=f"{url}/v1", api_key=leads_to("openai", url)["OPENAI_API_KEY"], max_retries=0)

    async def ask(text: str) -> int:
        stream = await client.chat.completions.create(stream=True, **_body(text))
        count = 0
        async for chunk in stream:
            count += bool(chunk.choices and chunk.choices[0].delta.content)
        return count

    return ask


def plain_aiohttp(url: str) -> Ask:
    """The least that a client can do: lines, JSON, and a look at the text."""
    import aiohttp

    headers = {"Authorization": f"Bearer {leads_to('openai', url)['OPENAI_API_KEY']}"}
    session: list[aiohttp.ClientSession] = []

    async def ask(text: str) -> int:
        if not session:
            session.append(aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)))
        count = 0
        async with session[0].post(f"{url}/v1/chat/completions", json={"stream": True, **_body(text)}) as response:
            async for line in response.content:
                if line.startswith(b"data: {"):
                    choices = json.loads(line[6:])["choices"]
                    count += bool(choices and choices[0]["delta"].get("content"))
        return count

    return ask


def _body(text: str) -> dict[str, object]:
    messages = [{"role": "user", "content": text}]
    return {"model": MODELS["openai"], "messages": messages, "stream_options": {"include_usage": True}}


async def _measure(ask: Ask, streams: int, words: int, pause: float) -> dict[str, float]:
    text = f"Tell me of tides. words={words} pause={pause}"
    await asyncio.gather(*(ask("words=1") for _ in range(streams)))  # connections and threads are there
    begin, used = time.monotonic(), time.process_time()
    counts = await asyncio.gather(*(ask(text) for _ in range(streams)))
    used, seconds = time.process_time() - used, time.monotonic() - begin
    return {"tokens": sum(counts), "cpu_us_per_token": 1e6 * used / max(1, sum(counts)), "seconds": seconds}


def main() -> None:
    """See the module."""
    name, url, streams, words, pause = sys.argv[1:]
    makers: dict[str, Callable[[], Ask]] = {
        "bedrock": lambda: product("bedrock", url),
        "openai": lambda: product("openai", url),
        "boto3": lambda: plain_boto3(url, int(streams)),
        "openai-sdk": lambda: openai_sdk(url),
        "aiohttp": lambda: plain_aiohttp(url),
    }
    found = asyncio.run(_measure(makers[name](), int(streams), int(words), float(pause)))
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    os._exit(0)  # sessions and threads that are left needn't be put away


if __name__ == "__main__":
    main()
