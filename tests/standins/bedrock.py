"""Bedrock's runtime at wire level, for the unmodified boto3: `python -m tests.standins.bedrock --port 9100`.

Then, for the product: AWS_REGION=us-east-1 AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://127.0.0.1:9100 and the keys that it
prints. Requests are checked (signature, shapes, rules) and refused as Bedrock refuses; how it answers is asked for in
the prompt (tests/standins/behaviour.py). `GET /_log` shows what was sent, and when connections closed.
"""

import argparse
import asyncio
import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.standins import bedrock_invoke as invoke
from tests.standins.aws_auth import ACCESS_KEY, SECRET_KEY, check_authorization
from tests.standins.bedrock_rules import Refused, check_conversation, check_request, service_model, shape_problems
from tests.standins.bedrock_script import answer, behaviour_of, tokens_of
from tests.standins.behaviour import Behaviour
from tests.standins.eventstream import event_frame, exception_frame
from tests.standins.leading import REGION
from tests.standins.server import ServerThread

EVENT_STREAM = "application/vnd.amazon.eventstream"
VENDORS = ("ai21", "amazon", "anthropic", "cohere", "deepseek", "meta", "mistral", "openai", "qwen")
GEOGRAPHIES = ("us", "eu", "apac", "jp", "au", "global")
OPERATIONS = {
    "converse": "Converse",
    "converse-stream": "ConverseStream",
    "invoke": "InvokeModel",
    "invoke-with-response-stream": "InvokeModelWithResponseStream",
    "count-tokens": "CountTokens",
}
REFUSALS = {
    "denied": Refused(403, "AccessDeniedException", "You don't have access to the model with the specified model ID."),
    "model": Refused(404, "ResourceNotFoundException", "Could not resolve the foundation model from the identifier."),
    "length": Refused(400, "ValidationException", "Input is too long for requested model."),
    "invalid": Refused(400, "ValidationException", "The temperature field isn't allowed for this model."),
    "tools": Refused(400, "ValidationException", "This model doesn't support tool use in streaming mode."),
    "down": Refused(503, "ServiceUnavailableException", "The service is temporarily unable to handle the request."),
}


@dataclass
class LoggedRequest:
    """A request, and what became of it. Times are time.monotonic()'s."""

    operation: str
    model_id: str
    body: Any
    began_at: float
    status: int = 0
    error: str = ""
    said: int = 0
    finished: bool = False
    closed_at: float | None = None


class BedrockStandIn(ServerThread):
    """The server. `log` has its requests; no request may have more words than `context_tokens`."""

    def __init__(self, *, region: str = REGION, context_tokens: int = 200_000, port: int = 0) -> None:
        self.region = region
        self.context_tokens = context_tokens
        self.log: list[LoggedRequest] = []
        self.faults: list[str] = []  # frames of ours that don't fit botocore's shapes
        self._refused: Counter[str] = Counter()
        super().__init__(self._application(), name="bedrock-stand-in", port=port)

    def start(self) -> None:
        service_model()  # a second's reading, which the first request isn't to wait for
        super().start()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=64 << 20)
        application.router.add_post("/model/{model}/{operation}", self._handle)
        application.router.add_get("/_log", self._show_log)
        return application

    async def _show_log(self, request: web.Request) -> web.Response:
        return web.json_response([asdict(entry) for entry in self.log])

    # --- one request

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        operation = OPERATIONS.get(request.match_info["operation"], "")
        raw = await request.read()
        model_id = unquote(request.match_info["model"])
        entry = LoggedRequest(operation, model_id, _parsed(raw), time.monotonic())
        self.log.append(entry)
        try:
            response = await self._checked(request, entry, raw)
        except Refused as refused:
            entry.status, entry.error = refused.status, f"{refused.code}: {refused.words}"
            return _refusal(refused)
        except (ConnectionError, asyncio.CancelledError):
            entry.closed_at = time.monotonic()
            raise
        entry.status, entry.finished = response.status, not entry.error
        return response

    async def _checked(self, request: web.Request, entry: LoggedRequest, raw: bytes) -> web.StreamResponse:
        if not entry.operation:
            raise Refused(404, "UnknownOperationException", "There is no such operation.")
        url = f"http://{request.host}{request.raw_path}"
        check_authorization(request.method, url, request.headers, raw, (self.region, "bedrock"))
        self._check_model(entry.model_id)
        if entry.operation.startswith("Invoke"):
            return await self._invoke(request, entry)
        body = entry.body
        check_request(entry.operation, {**body, "modelId": entry.model_id})
        if entry.operation == "CountTokens":
            return web.json_response({"inputTokens": tokens_of(body)})
        check_conversation(body)
        behaviour = behaviour_of(body)
        await self._before_headers(body, behaviour)
        if entry.operation == "Converse":
            return web.json_response(_whole_answer(body, behaviour))
        return await self._stream(request, entry, behaviour)

    def _check_model(self, model_id: str) -> None:
        first, _, rest = model_id.partition(".")
        vendor = rest.partition(".")[0] if first in GEOGRAPHIES else first
        if vendor not in VENDORS and not model_id.startswith("arn:aws:bedrock:"):
            raise REFUSALS["model"]

    async def _before_headers(self, body: dict[str, Any], behaviour: Behaviour) -> None:
        if behaviour.hang:
            await asyncio.sleep(behaviour.hang)
        if self._refused[behaviour.key] < behaviour.throttle:
            self._refused[behaviour.key] += 1
            raise _Throttled(behaviour.retry_after)
        if behaviour.refuse and (behaviour.refuse != "tools" or "toolConfig" in body):
            raise REFUSALS[behaviour.refuse]
        if tokens_of(body) > self.context_tokens:
            raise REFUSALS["length"]

    async def _stream(self, request: web.Request, entry: LoggedRequest, behaviour: Behaviour) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": EVENT_STREAM, "x-amzn-RequestId": f"{len(self.log)}"})
        await response.prepare(request)
        entry.status = 200
        for name, fields in answer(entry.body, behaviour):
            if "text" in fields.get("delta", {}):
                if await self._misbehave(request, response, entry, behaviour):
                    return response
                entry.said += 1
            await response.write(self._frame(name, fields))
        await response.write_eof()
        return response

    async def _misbehave(
        self, request: web.Request, response: web.StreamResponse, entry: LoggedRequest, behaviour: Behaviour
    ) -> bool:
        """Whether the answer ends here, before its next word."""
        if behaviour.pause:
            await asyncio.sleep(behaviour.pause)
        if entry.said == behaviour.stall:
            await asyncio.sleep(3600)
        if entry.said == behaviour.cut:
            entry.error = "cut"
            if request.transport:
                request.transport.abort()
            return True
        if entry.said == behaviour.fail:
            entry.error = "failed"
            await response.write(exception_frame("throttlingException", "Too many tokens, please wait."))
            await response.write_eof()
            return True
        return False

    def _frame(self, name: str, fields: dict[str, Any]) -> bytes:
        shape = service_model().operation_model("ConverseStream").output_shape.members["stream"].members[name]
        self.faults += shape_problems(fields, shape, name)
        return event_frame(name, fields)

    async def _invoke(self, request: web.Request, entry: LoggedRequest) -> web.StreamResponse:
        behaviour = behaviour_of(entry.body) if "messages" in entry.body else Behaviour()
        await self._before_headers(entry.body, behaviour)
        answered = invoke.answer(entry.model_id, entry.body, behaviour)
        if entry.operation == "InvokeModel":
            counts = {"X-Amzn-Bedrock-Input-Token-Count": "3", "X-Amzn-Bedrock-Output-Token-Count": "1"}
            return web.json_response(answered, headers=counts)
        response = web.StreamResponse(headers={"Content-Type": EVENT_STREAM})
        await response.prepare(request)
        for chunk in invoke.chunks(answered):
            await asyncio.sleep(behaviour.pause)
            payload = base64.b64encode(json.dumps(chunk).encode()).decode()
            await response.write(event_frame("chunk", {"bytes": payload}))
        await response.write_eof()
        return response


class _Throttled(Refused):
    def __init__(self, retry_after: float | None) -> None:
        super().__init__(429, "ThrottlingException", "Too many requests, please wait before trying again.")
        self.retry_after = retry_after


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return {}


def _refusal(refused: Refused) -> web.Response:
    headers = {"x-amzn-ErrorType": f"{refused.code}:http://internal.amazon.com/coral/com.amazon.bedrock/"}
    if retry_after := getattr(refused, "retry_after", None):
        headers["Retry-After"] = f"{retry_after:g}"
    return web.json_response({"message": refused.words}, status=refused.status, headers=headers)


def _whole_answer(body: dict[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    """Converse's answer: the stream's events put together."""
    blocks: dict[int, dict[str, Any]] = {}
    found: dict[str, Any] = {"metrics": {"latencyMs": 7}}
    for name, fields in answer(body, behaviour):
        if name == "contentBlockStart":
            blocks[fields["contentBlockIndex"]] = {"toolUse": {**fields["start"]["toolUse"], "input": ""}}
        elif name == "contentBlockDelta":
            _add_delta(blocks.setdefault(fields["contentBlockIndex"], {}), fields["delta"])
        elif name in {"messageStop", "metadata"}:
            found |= fields
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
    return {"output": {"message": {"role": "assistant", "content": list(blocks.values())}}, **found}


def _add_delta(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    elif "toolUse" in delta:
        block["toolUse"]["input"] += delta["toolUse"]["input"]
    elif "text" in delta.get("reasoningContent", {}):
        text = block.setdefault("reasoningContent", {"reasoningText": {"text": ""}})["reasoningText"]
        text["text"] += delta["reasoningContent"]["text"]
    elif "signature" in delta.get("reasoningContent", {}):
        block["reasoningContent"]["reasoningText"]["signature"] = delta["reasoningContent"]["signature"]


def main(wait: Callable[[], None] = lambda: threading.Event().wait()) -> None:  # type: ignore[assignment, return-value]
    """Serve until interrupted."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, default=9100)
    arguments.add_argument("--context-tokens", type=int, default=200_000)
    given = arguments.parse_args()
    server = BedrockStandIn(port=given.port, context_tokens=given.context_tokens)
    server.start()
    print(f"AWS_REGION={server.region}\nAWS_ACCESS_KEY_ID={ACCESS_KEY}\nAWS_SECRET_ACCESS_KEY={SECRET_KEY}")
    print(f"AWS_ENDPOINT_URL_BEDROCK_RUNTIME={server.url}", flush=True)
    try:
        wait()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
