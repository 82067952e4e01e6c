"""A server of OpenAI's API at wire level: `python -m tests.standins.openai --port 9200`.

Then, for the product: OPENAI_BASE_URL=http://127.0.0.1:9200/v1 and the key that it prints. Requests are checked and
refused as OpenAI and vLLM refuse; how it answers is asked for in the prompt (tests/standins/behaviour.py).
`GET /_log` shows what was sent, and when connections closed.
"""

import argparse
import asyncio
import json
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from tests.standins import openai_script as script
from tests.standins.behaviour import Behaviour
from tests.standins.leading import OPENAI_KEY as API_KEY
from tests.standins.openai_rules import Refused, check_request
from tests.standins.server import ServerThread

MODELS = ("stand-in-small", "stand-in-vl", "gpt-5-stand-in", "text-embedding-stand-in")
CONTEXT_TOKENS = 32_000
REFUSALS = {
    "denied": Refused(403, "permission_denied", "Project does not have access to this model."),
    "model": Refused(404, "model_not_found", "The model does not exist or you do not have access to it."),
    "length": Refused(400, "context_length_exceeded", "This model's maximum context length is 32000 tokens."),
    "invalid": Refused(400, "unsupported_value", "Unsupported value: 'temperature' does not support 0.2."),
    "tools": Refused(400, "invalid_request_error", "registry.ollama.ai/library/small does not support tools"),
    "down": Refused(503, "server_error", "The server is overloaded or not ready yet."),
}


@dataclass
class LoggedRequest:
    """A request, and what became of it. Times are time.monotonic()'s."""

    body: Any
    headers: dict[str, str]
    began_at: float
    connection: int = 0  # requests on one connection have the same
    status: int = 0
    error: str = ""
    said: int = 0
    finished: bool = False
    closed_at: float | None = None


class OpenAIStandIn(ServerThread):
    """The server. No request may have more words than `context_tokens`; without `key`, everybody may ask.

    `reasoning_field`: the name under which it thinks aloud; `lists`: whether it has a list of models; `streams`:
    whether it streams when it is told to, or answers in one piece.
    """

    def __init__(
        self,
        *,
        key: str = API_KEY,
        context_tokens: int = CONTEXT_TOKENS,
        port: int = 0,
        reasoning_field: str = "reasoning_content",
    ) -> None:
        self.key = key
        self.context_tokens = context_tokens
        self.reasoning_field = reasoning_field
        self.lists = self.streams = True
        self.log: list[LoggedRequest] = []
        self.listed = 0  # how often the models were asked for
        self._refused: Counter[str] = Counter()
        super().__init__(self._application(), name="openai-stand-in", port=port)

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=64 << 20)
        application.router.add_post("/v1/chat/completions", self._handle)
        application.router.add_get("/v1/models", self._list)
        application.router.add_get("/_log", self._show_log)
        application.router.add_get("/elsewhere/models", self._page)
        application.router.add_post("/elsewhere/chat/completions", self._page)
        application.router.add_post("/moved/chat/completions", self._moved)
        return application

    async def _show_log(self, request: web.Request) -> web.Response:
        return web.json_response([asdict(entry) for entry in self.log])

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text="<html>It works!</html>", content_type="text/html")

    async def _moved(self, request: web.Request) -> web.Response:
        raise web.HTTPPermanentRedirect(f"{self.base_url}/chat/completions")

    async def _list(self, request: web.Request) -> web.Response:
        self.listed += 1
        try:
            self._check_key(request)
        except Refused as refused:
            return _refusal(refused)
        if not self.lists:
            return _refusal(Refused(404, "", "Not Found"))
        models = [{"id": name, "object": "model", "max_model_len": self.context_tokens} for name in MODELS]
        return web.json_response({"object": "list", "data": models})

    # --- one request

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        entry = LoggedRequest(json.loads(raw), dict(request.headers), time.monotonic(), id(request.transport))
        self.log.append(entry)
        try:
            response = await self._checked(request, entry)
        except Refused as refused:
            entry.status, entry.error = refused.status, f"{refused.code}: {refused.words}"
            return _refusal(refused)
        except (ConnectionError, asyncio.CancelledError):
            entry.closed_at = time.monotonic()
            raise
        entry.status, entry.finished = response.status, not entry.error
        return response

    async def _checked(self, request: web.Request, entry: LoggedRequest) -> web.StreamResponse:
        self._check_key(request)
        if entry.body.get("model") not in MODELS:
            raise REFUSALS["model"]
        check_request(entry.body)
        behaviour = script.behaviour_of(entry.body)
        await self._before_headers(entry.body, behaviour)
        chunks = script.answer(entry.body, behaviour, self.reasoning_field)
        if not self.streams or not entry.body.get("stream"):
            return web.json_response(script.whole(chunks))
        return await self._stream(request, entry, behaviour)

    def _check_key(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if self.key and given != f"Bearer {self.key}":
            raise Refused(401, "invalid_api_key", f"Incorrect API key provided: {given.removeprefix('Bearer ')}.")

    async def _before_headers(self, body: dict[str, Any], behaviour: Behaviour) -> None:
        if behaviour.hang:
            await asyncio.sleep(behaviour.hang)
        if self._refused[behaviour.key] < behaviour.throttle:
            self._refused[behaviour.key] += 1
            headers = {} if behaviour.retry_after is None else {"Retry-After": f"{behaviour.retry_after:g}"}
            raise Refused(429, "rate_limit_exceeded", "Rate limit reached for requests.", headers)
        if behaviour.refuse and (behaviour.refuse != "tools" or body.get("tools")):
            raise REFUSALS[behaviour.refuse]
        if script.tokens_of(body) > self.context_tokens:
            raise REFUSALS["length"]

    async def _stream(self, request: web.Request, entry: LoggedRequest, behaviour: Behaviour) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        entry.status = 200
        for chunk in script.answer(entry.body, behaviour, self.reasoning_field):
            if any(choice["delta"].get("content") for choice in chunk["choices"]):
                if await self._misbehave(request, response, entry, behaviour):
                    return response
                entry.said += 1
            await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        if not behaviour.silent:
            await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    async def _misbehave(
        self, request: web.Request, response: web.StreamResponse, entry: LoggedRequest, behaviour: Behaviour
    ) -> bool:
        """Whether the answer ends here, before its next word. A stalled one keeps its connection open by comments."""
        if behaviour.pause:
            await asyncio.sleep(behaviour.pause)
        while entry.said == behaviour.stall:
            await response.write(b": still here\n\n")
            await asyncio.sleep(0.1)
        if entry.said == behaviour.cut:
            entry.error = "cut"
            if request.transport:
                request.transport.abort()
            return True
        if entry.said == behaviour.fail:
            entry.error = "failed"
            error = {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}
            await response.write(b"data: " + json.dumps({"error": error}).encode() + b"\n\n")
            await response.write_eof()
            return True
        return False


def _refusal(refused: Refused) -> web.Response:
    error = {"message": refused.words, "type": "invalid_request_error", "param": None, "code": refused.code or None}
    return web.json_response({"error": error}, status=refused.status, headers=refused.headers)


def main() -> None:
    """Serve until interrupted."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, default=9200)
    arguments.add_argument("--context-tokens", type=int, default=CONTEXT_TOKENS)
    given = arguments.parse_args()
    server = OpenAIStandIn(port=given.port, context_tokens=given.context_tokens)
    server.start()
    print(f"OPENAI_BASE_URL={server.base_url}\nOPENAI_API_KEY={API_KEY}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
