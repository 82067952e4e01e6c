"""Whose is it? Every door, one line each: the owner gets in, another user gets 404, nobody gets 401."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern

from chats.api.urls import urlpatterns
from chats.models import Chat, Message, Persona, Prompt
from tests.chats.api.makers import API, JSONClient, bearer_of, logged_in
from tests.chats.attaching import PNG, kept
from workbench.models import User

pytestmark = pytest.mark.usefixtures("engine")

FORM = "multipart"  # in place of a body: a file in a form

# method, path, body, what the owner gets, the scope that a token needs
PRIVATE = [
    ("GET", "/chats/{chat}/", None, 200, "read"),
    ("GET", "/chats/{chat}/messages/", None, 200, "read"),
    ("GET", "/chats/{chat}/export/", None, 200, "read"),
    ("GET", "/messages/{response}/", None, 200, "read"),
    ("PUT", "/messages/{response}/feedback/", {"rating": "up"}, 200, "write"),
    ("GET", "/responses/{response}/events/", None, 200, "read"),
    ("PATCH", "/chats/{chat}/", {"title": "New"}, 200, "write"),
    ("DELETE", "/chats/{chat}/", None, 204, "write"),
    ("POST", "/responses/{response}/cancel/", None, 202, "generate"),
    ("POST", "/generate/stream", {"chat_id": "{chat}", "task": "demo", "content": "text"}, 200, "generate"),
    ("POST", "/generate/invoke", {"chat_id": "{chat}", "task": "demo", "content": "text"}, 200, "generate"),
]
KEPT = [
    ("GET", "/personas/{persona}/", None, 200, "read"),
    ("PATCH", "/personas/{persona}/", {"name": "New"}, 200, "write"),
    ("DELETE", "/personas/{persona}/", None, 204, "write"),
    ("GET", "/prompts/{prompt}/", None, 200, "read"),
    ("PATCH", "/prompts/{prompt}/", {"name": "New"}, 200, "write"),
    ("DELETE", "/prompts/{prompt}/", None, 204, "write"),
    ("GET", "/files/{file}/", None, 200, "read"),
    ("DELETE", "/files/{file}/", None, 204, "generate"),
]
# What every user has, his own each.
SHARED = [
    ("GET", "/chats/", None, 200, "read"),
    ("POST", "/chats/", {}, 201, "write"),
    ("GET", "/handlers/", None, 200, "read"),
    ("GET", "/models/", None, 200, "read"),
    ("GET", "/personas/", None, 200, "read"),
    ("POST", "/personas/", {"name": "P", "prompt": "x"}, 201, "write"),
    ("GET", "/prompts/", None, 200, "read"),
    ("POST", "/prompts/", {"name": "P", "text": "x"}, 201, "write"),
    ("GET", "/search/?q=Nile", None, 200, "read"),
    ("POST", "/socket-ticket/", None, 201, "read"),
    ("POST", "/files/", FORM, 201, "generate"),
    ("GET", "/schema/", None, 200, "read"),
    ("GET", "/docs/", None, 200, "read"),
]
every_door_of_a_chat = pytest.mark.parametrize("door", PRIVATE, ids=lambda door: f"{door[0]} {door[1]}")
every_private_door = pytest.mark.parametrize("door", PRIVATE + KEPT, ids=lambda door: f"{door[0]} {door[1]}")
every_door = pytest.mark.parametrize("door", PRIVATE + KEPT + SHARED, ids=lambda door: f"{door[0]} {door[1]}")


@dataclass
class Visit:
    """What a door gives to whom."""

    door: tuple[str, str, Any, int, str]
    ids: dict[str, Any]

    def status_for(self, client: JSONClient) -> int:
        method, path, body, _, _ = self.door
        if body == FORM:
            return client.post(API + path, {"file": SimpleUploadedFile("photo.png", PNG)}).status_code
        body = {name: str(value).format(**self.ids) for name, value in body.items()} if body else body
        return client.ask(method, path.format(**self.ids), body).status_code


@pytest.fixture
def visit(door: tuple[str, str, Any, int, str], chat: Chat, response: Message, owner: User) -> Visit:
    persona = Persona.objects.create(owner=owner, name="Editor", prompt="Be brief.")
    prompt = Prompt.objects.create(owner=owner, name="Sum up", text="Sum it up.")
    file = kept(owner)
    kept_ids = {"persona": persona.pk, "prompt": prompt.pk, "file": file.pk}
    return Visit(door, {"chat": chat.pk, "response": response.pk, **kept_ids})


@every_private_door
def test_what_is_anothers_is_not_found(visit: Visit, stranger: User) -> None:
    assert visit.status_for(logged_in(stranger)) == 404


@every_door
def test_nobody_is_asked_to_log_in(visit: Visit) -> None:
    assert visit.status_for(JSONClient()) == 401


@every_door
def test_the_owner_gets_in(visit: Visit, owner: User) -> None:
    assert visit.status_for(logged_in(owner)) == visit.door[3]


@every_door
def test_a_token_with_the_scope_gets_in(visit: Visit, owner: User) -> None:
    assert visit.status_for(bearer_of(owner, visit.door[4])) == visit.door[3]


@every_door
def test_a_token_without_the_scope_is_forbidden(visit: Visit, owner: User) -> None:
    others = {"read", "write", "generate"} - {visit.door[4]}
    assert visit.status_for(bearer_of(owner, *others)) == 403


@every_door_of_a_chat
def test_a_deleted_chat_is_gone_with_all_that_is_in_it(visit: Visit, owner: User, chat: Chat) -> None:
    Chat.objects.filter(pk=chat.pk).update(status=Chat.State.DELETED)
    assert visit.status_for(logged_in(owner)) == 404


def test_every_address_is_in_one_of_the_tables() -> None:
    tested = {re.sub(r"{\w+}", "X", path).partition("?")[0] for _, path, *_ in PRIVATE + KEPT + SHARED}
    addresses = {_example(pattern) for pattern in urlpatterns if pattern.name != "nothing"}
    assert addresses == tested


def _example(pattern: URLPattern) -> str:
    return "/" + re.sub(r"<\w+:\w+>", "X", str(pattern.pattern))
