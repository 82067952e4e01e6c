"""Rows as runs leave them, made without running anything; and HTTP clients for the three kinds of visitor."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.test import Client

from chats.models import UNFINISHED, AccessToken, Chat, Event, Message, Run
from chats.transcript import Transcript
from handlers.encoding import canonical_json
from tests.chats.api.openapi.contract import judge
from workbench.models import User

API = "/api/v1"
LoggedEvent = tuple[str, dict[str, Any]] | tuple[str, dict[str, Any], bool]
END = ("response_end", {"status": "completed", "usage": {"total_tokens": 3}, "error_type": None})


def start_of(message_id: str = "") -> LoggedEvent:
    fields = {"request_id": None, "chat_id": "", "message_id": message_id, "parent_id": None}
    return "response_start", {**fields, "task": "demo", "model_id": "offline"}


def text(content: str) -> LoggedEvent:
    return "content", {"content": content}


def make_request(chat: Chat, content: str = "What?", parent: Message | None = None) -> Message:
    parts = [{"kind": "text", "content": content}]
    return Message.objects.create(chat=chat, parent=parent, kind=Message.Kind.REQUEST, parts=parts)


def make_response(chat: Chat, events: Sequence[LoggedEvent] = (), *, parent: Message | None = None) -> Message:
    """A response whose log is `events` (type, fields, emit); finished if the last one is its end."""
    request = parent or make_request(chat)
    logged = [(*event, True)[:3] for event in events]
    ended = logged and logged[-1][0] == "response_end"
    status = logged[-1][1]["status"] if ended else "running"
    response = Message.objects.create(
        chat=chat, parent=request, kind=Message.Kind.RESPONSE, status=status, task="demo", model_id="offline"
    )
    transcript = Transcript()
    for sequence, (kind, fields, emit) in enumerate(logged):
        transcript.feed(kind, fields, sequence, emit)
        payload = canonical_json(fields)
        Event.objects.create(response=response, sequence=sequence, type=kind, emit=emit, payload=payload)
    error_type = logged[-1][1]["error_type"] if ended else None
    Run.objects.create(
        response=response, request_message=request, chat=chat, user=chat.owner, correlation_id="c", task="demo",
        status=status, error_type=error_type,
    )  # fmt: skip
    if ended:
        finish(response, transcript, len(logged) - 1)
    chat.active_leaf = response
    chat.save()
    return response


def finish(response: Message, transcript: Transcript, sequence: int) -> None:
    fold = transcript.visible
    response.parts, response.errors, response.metadata = fold.parts, fold.errors, fold.metadata
    response.unredacted, response.usage, response.sequence = transcript.unredacted, fold.usage, sequence
    response.finished_at = datetime.now(UTC)
    response.save()


def end_of(response: Message) -> int:
    assert response.status not in UNFINISHED
    assert response.sequence is not None
    return response.sequence


class JSONClient(Client):
    """Sends JSON and says what came back: `client.ask("POST", "/chats/", {...})`.

    What comes back is to be as the API's own document says, in every test.
    """

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = body if isinstance(body, str | bytes) else canonical_json(body)
        address = path if path.startswith("http") else API + path
        content = b"" if body is None else sent
        response = self.generic(method, address, content, "application/json", headers=headers or None)
        judge(method, address, response)
        return response

    def get_json(self, path: str, **headers: str) -> Any:
        response = self.ask("GET", path, **headers)
        assert response.status_code == 200, response.content
        return response.json()


def logged_in(user: User) -> JSONClient:
    client = JSONClient()
    client.force_login(user)
    return client


def bearer_of(user: User, *scopes: str, **fields: Any) -> JSONClient:
    """A client with an access token of these scopes (all, if none is named)."""
    _, secret = AccessToken.issue(user, scopes=list(scopes or AccessToken.Scope.values), **fields)
    return JSONClient(headers={"authorization": f"Bearer {secret}"})
