"""Every answer that the document describes, really asked for: its status, media type and body are as described.

A door whose answer changes fails here until the document says so, and the document can describe no answer that nobody
gets.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import encode_multipart

from chats.models import Persona, Prompt
from handlers import events as kinds
from handlers.base import BaseTaskHandler
from handlers.errors import HandlerError
from handlers.messages import Message
from handlers.registry import registry
from tests.chats.api.makers import API, JSONClient
from tests.chats.api.openapi.contract import JSON, described, operations, problems_of, schema_problems
from tests.chats.api.streams import AsyncJSONClient
from tests.chats.attaching import PNG, kept
from workbench.models import User

STREAM = {"accept": "text/event-stream"}
NOWHERE = "01890a5d-ac96-774b-bcce-b302099a8057"
BOUNDARY = "a-form-of-one-file"


class OracleEvent(kinds.BaseEvent):
    """A custom event."""

    verse: str


class Oracle(BaseTaskHandler):
    """Says everything that can be said; some words end it otherwise."""

    name = "oracle"
    description = "For tests."
    cooperative = True

    async def handle(self, user_message: Message, **_: Any) -> AsyncGenerator[kinds.BaseEvent, None]:
        if user_message.text in ("silence", "timeout"):
            raise HandlerError("The oracle is silent.", error_type=user_message.text)
        yield kinds.StatusEvent(message="Breathing vapours…", persist=False)
        yield kinds.ReasoningEvent(text="Hm.", signature="s")
        yield kinds.ReasoningEvent(text="", redacted=b"opaque")
        yield kinds.ToolCallEvent(tool_name="stars", tool_args={"sign": "lion"}, tool_id="t")
        yield kinds.ToolReturnEvent(tool_name="stars", result=["high"])
        yield kinds.ErrorEvent(error_type="cloud", message="A cloud.", details={"height": 3})
        yield kinds.ContentEvent(content="You will cross a river [1].")
        yield kinds.DocumentEvent(document_id="d", title="Rivers")
        yield kinds.CitationEvent(document_id="d", text="A river.", reference_number=1, citation_id="c", page=2)
        yield kinds.CitationEvent(document_id="unknown", text="Elsewhere.")
        yield kinds.ImageEvent(file_id=NOWHERE, mime_type="image/png")
        yield OracleEvent(verse="…")
        yield kinds.MetadataEvent(metadata={"mood": "dark"})
        yield kinds.ResponseEndEvent(usage={"input_tokens": 1})


@dataclass
class Case:
    """A request, and the status that it gets. `{chat}` and such stand for ids. `form`: the bytes of a file."""

    operation: str
    path: str
    status: int = 200
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    form: bytes | None = None

    def __str__(self) -> str:
        return f"{self.operation}-{self.status}-{self.path.rpartition('/')[2]}"

    @property
    def method(self) -> str:
        return self.operation.partition("_")[0].upper()


ASK = {"task": "oracle", "content": "What will come?"}
AGAIN = {**ASK, "chat_id": "delphi", "request_id": "first"}  # what the fixture `ids` has asked
CASES = [
    Case("post_generate_stream", "/generate/stream", body=ASK),
    Case("post_generate_stream", "/generate/stream", 204, AGAIN, {"last-event-id": "1000"}),
    Case("post_generate_stream", "/generate/stream", 409, {**AGAIN, "content": "Else?"}),
    Case("post_generate_stream", "/generate/stream", 404, {**ASK, "task": "nobody"}),
    Case("post_generate_invoke", "/generate/invoke", body=ASK),
    Case("post_generate_invoke", "/generate/invoke", 502, {**ASK, "content": "silence"}),
    Case("post_generate_invoke", "/generate/invoke", 504, {**ASK, "content": "timeout"}),
    Case("post_generate_invoke", "/generate/invoke", 400, {**ASK, "parts": []}),
    Case("get_events", "/responses/{response}/events/"),
    Case("get_events", "/responses/{response}/events/?after=1&limit=2&type=content,status"),
    Case("get_events", "/responses/{response}/events/", headers=STREAM),
    Case("get_events", "/responses/{response}/events/?after=1000", 204, headers=STREAM),
    Case("get_events", "/responses/{response}/events/?after=x", 400),
    Case("post_cancel", "/responses/{response}/cancel/", 202),
    Case("get_message", "/messages/{response}/"),
    Case("put_feedback", "/messages/{response}/feedback/", body={"rating": "up", "comment": "So true."}),
    Case("put_feedback", "/messages/{response}/feedback/", body={"rating": None}),
    Case("put_feedback", "/messages/{response}/feedback/", 400, {"rating": "sideways"}),
    Case("get_chats", "/chats/?status=active&pinned=false&ordering=created_at&limit=1"),
    Case("get_chats", "/chats/?ordering=title", 400),
    Case("post_chats", "/chats/", 201, {"name": "dodona", "metadata": {"oak": True}}),
    Case("post_chats", "/chats/", 409, {"name": "delphi"}),
    Case("get_chat", "/chats/{chat}/"),
    Case("get_chat", "/chats/delphi/"),
    Case("patch_chat", "/chats/{chat}/", body={"pinned": True, "active_leaf": None}),
    Case("delete_chat", "/chats/{chat}/", 204),
    Case("get_messages", "/chats/{chat}/messages/?limit=1"),
    Case("get_messages", "/chats/{chat}/messages/?leaf={response}"),
    Case("get_export", "/chats/{chat}/export/"),
    Case("get_export", "/chats/{chat}/export/?format=jsonl"),
    Case("get_export", "/chats/{chat}/export/?format=markdown&leaf={response}"),
    Case("get_search", "/search/?q=come"),
    Case("get_search", "/search/?q=", 400),
    Case("get_handlers", "/handlers/"),
    Case("get_models", "/models/"),
    Case("get_personas", "/personas/"),
    Case("post_personas", "/personas/", 201, {"name": "Pythia", "prompt": "In verse."}),
    Case("post_personas", "/personas/", 409, {"name": "Editor", "prompt": "Again."}),
    Case("get_persona", "/personas/{persona}/"),
    Case("get_persona", "/personas/{shared}/"),
    Case("patch_persona", "/personas/{persona}/", body={"description": "Brief."}),
    Case("patch_persona", "/personas/{shared}/", 403, {"description": "Brief."}),
    Case("delete_persona", "/personas/{persona}/", 204),
    Case("get_prompts", "/prompts/"),
    Case("post_prompts", "/prompts/", 201, {"name": "Verse", "text": "In verse: "}),
    Case("get_prompt", "/prompts/{prompt}/"),
    Case("patch_prompt", "/prompts/{prompt}/", body={"text": "In prose: "}),
    Case("delete_prompt", "/prompts/{prompt}/", 204),
    Case("post_files", "/files/", 201, form=PNG),
    Case("post_files", "/files/", 201, form=b"Some words."),
    Case("post_files", "/files/", 415, form=b"\x00\x01\x02"),
    Case("get_file", "/files/{file}/"),
    Case("get_file", "/files/{file}/", 304, headers={"if-none-match": "*"}),
    Case("delete_file", "/files/{file}/", 204),
    Case("delete_file", "/files/{used}/", 409),
    Case("post_socket_ticket", "/socket-ticket/", 201),
    Case("get_schema", "/schema/"),
    Case("get_schema", "/schema/", 304, headers={"if-none-match": "*"}),
    Case("get_docs", "/docs/"),
]
NAMED = [(method, path) for method, path, _ in operations() if "{" in path]


@pytest.fixture
def oracle() -> Iterator[None]:
    registry.register(Oracle)
    yield
    registry.unregister("oracle")


@pytest.fixture
async def ids(oracle: None, owner: User, client: AsyncJSONClient) -> dict[str, str]:
    """What the paths name: a chat in which the oracle has spoken of a picture, a file that waits, and what is kept."""
    used, waiting = [await sync_to_async(kept)(owner, PNG + end) for end in (b"1", b"2")]
    persona = await Persona.objects.acreate(owner=owner, name="Editor", prompt="Be brief.")
    shared = await Persona.objects.acreate(owner=None, name="The site's", prompt="Be kind.")
    prompt = await Prompt.objects.acreate(owner=owner, name="Sum up", text="Sum it up.")
    spoken = (await client.ask("POST", "/generate/invoke", AGAIN)).json()
    seen = {**ASK, "chat_id": "delphi", "content": None, "parts": [{"kind": "image", "file_id": str(used.pk)}]}
    assert (await client.ask("POST", "/generate/invoke", seen)).status_code == 200
    return {
        "chat": spoken["chat_id"], "response": spoken["id"], "persona": str(persona.pk), "shared": str(shared.pk),
        "prompt": str(prompt.pk), "file": str(waiting.pk), "used": str(used.pk),
    }  # fmt: skip


async def answer_to(client: AsyncJSONClient, case: Case, ids: dict[str, str]) -> Any:
    path = case.path.format(**ids)
    if case.form is None:
        return await client.ask(case.method, path, case.body, **case.headers)
    form = encode_multipart(BOUNDARY, {"file": SimpleUploadedFile("a", case.form)})
    return await client.generic("POST", API + path, form, f"multipart/form-data; boundary={BOUNDARY}")


async def text_of(response: Any) -> str:
    if not response.streaming:
        return response.content.decode("utf-8", "replace")
    async with asyncio.timeout(20):
        return b"".join([piece async for piece in response]).decode("utf-8", "replace")


def events_in(stream: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in stream.split("\n") if line.startswith("data: ")]


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_an_answer_is_as_described(case: Case, ids: dict[str, str], client: AsyncJSONClient) -> None:
    response = await answer_to(client, case, ids)
    text = await text_of(response)
    operation = described(case.method, case.path)
    media = response.get("Content-Type", "") if text or response.streaming else ""
    assert (operation["operationId"], response.status_code) == (case.operation, case.status), text
    body = json.loads(text) if media.partition(";")[0] == JSON else None
    assert problems_of(operation, case.status, media, body) == []
    promised = operation["responses"][str(case.status)].get("headers", {})
    assert [name for name in promised if name not in response.headers] == []
    event = {"$ref": "#/components/schemas/Event"}
    assert [problem for each in events_in(text) for problem in schema_problems(event, each)] == []


async def test_the_oracles_events_and_parts_are_of_every_kind(ids: dict[str, str], client: AsyncJSONClient) -> None:
    """So that the cases above look at all of them."""
    stream = await text_of(await client.ask("POST", "/generate/stream", ASK))
    assert {event["type"] for event in events_in(stream)} == {kind.type for kind in kinds.BUILT_IN_EVENTS} | {"oracle"}
    page = (await client.ask("GET", f"/chats/{ids['chat']}/messages/")).json()
    told = {part["kind"] for message in page["results"] for part in message["parts"]}
    assert told == {
        "text", "reasoning", "tool-call", "tool-return", "document", "citation", "image", "custom"
    }  # fmt: skip


def test_every_answer_that_is_described_is_asked_for() -> None:
    promised = {
        (operation["operationId"], int(status))
        for _, _, operation in operations()
        for status, answer in operation["responses"].items()
        if "$ref" not in answer
    }
    elsewhere = {("get_docs", 302)}  # test_page.py
    assert promised - elsewhere == {(case.operation, case.status) for case in CASES} & promised


@pytest.mark.parametrize("case", [case for case in CASES if case.body and case.status < 300], ids=str)
def test_a_body_that_is_taken_is_as_described(case: Case) -> None:
    [content] = described(case.method, case.path)["requestBody"]["content"].values()
    assert schema_problems(content["schema"], case.body) == []


REFUSED = [
    ("/personas/", {"name": "  ", "prompt": "Be brief."}),
    ("/prompts/", {"name": "Sum up", "text": " "}),
    ("/chats/", {"name": ""}),
    ("/chats/", {"colour": "red"}),
    ("/generate/invoke", {"content": 3}),
]


@pytest.mark.parametrize(("path", "body"), REFUSED)
def test_a_body_that_is_refused_isnt_described(path: str, body: dict[str, Any], client_of_owner: JSONClient) -> None:
    [content] = described("POST", path)["requestBody"]["content"].values()
    assert client_of_owner.ask("POST", path, body).status_code == 400
    assert schema_problems(content["schema"], body) != []


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in operations()])
def test_nobody_is_refused_as_described(method: str, path: str) -> None:
    response = JSONClient().ask(method, path.replace("{", "").replace("}", ""))
    assert response.status_code == 401
    assert problems_of(described(method, path), 401, response["Content-Type"], response.json()) == []


@pytest.mark.parametrize(("method", "path"), NAMED)
def test_what_isnt_there_is_refused_as_described(method: str, path: str, client_of_owner: JSONClient) -> None:
    response = client_of_owner.ask(method, "/".join(NOWHERE if "{" in step else step for step in path.split("/")))
    assert response.status_code == 404
    assert problems_of(described(method, path), 404, response["Content-Type"], response.json()) == []
