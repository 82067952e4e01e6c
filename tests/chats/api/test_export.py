"""A chat as a file, through the door."""

import json
from typing import Any

import pytest

from chats.engine import Engine
from chats.models import Chat, Message
from tests.chats.api.makers import END, JSONClient, make_request, make_response, start_of, text

pytestmark = pytest.mark.usefixtures("engine")


def export(client: JSONClient, chat: Chat, query: str = "") -> Any:
    return client.ask("GET", f"/chats/{chat.pk}/export/{query}")


def content_of(response: Any) -> str:
    assert response.status_code == 200
    return b"".join(response).decode()


@pytest.fixture
def tree(chat: Chat) -> Chat:
    """A question with two answers, one with something hidden in it; the second is the active one."""
    hidden = ("content", {"content": "secret"}, False)
    first = make_response(chat, [start_of(), text("The Amazon."), END], parent=make_request(chat, "Longest?"))
    make_response(chat, [start_of(), hidden, text("The Nile."), END], parent=first.parent)
    return chat


def test_json_has_the_chat_and_the_messages_as_the_api_shows_them(client_of_owner: JSONClient, tree: Chat) -> None:
    exported = json.loads(content_of(export(client_of_owner, tree)))
    assert exported["chat"] == client_of_owner.get_json(f"/chats/{tree.pk}/")
    assert exported["messages"] == client_of_owner.get_json(f"/chats/{tree.pk}/messages/")["results"]


def test_jsonl_has_a_message_on_each_line(client_of_owner: JSONClient, tree: Chat) -> None:
    lines = content_of(export(client_of_owner, tree, "?format=jsonl")).splitlines()
    listed = client_of_owner.get_json(f"/chats/{tree.pk}/messages/")["results"]
    assert [json.loads(line) for line in lines] == listed


def test_markdown_reads_as_the_active_branch(client_of_owner: JSONClient, tree: Chat) -> None:
    exported = content_of(export(client_of_owner, tree, "?format=markdown"))
    assert exported.startswith("# Rivers\n")
    assert exported.index("Longest?") < exported.index("The Nile.")
    assert "The Amazon." not in exported


def test_a_leaf_gives_its_branch(client_of_owner: JSONClient, tree: Chat) -> None:
    other = Message.objects.get(parts__contains="Amazon")
    exported = json.loads(content_of(export(client_of_owner, tree, f"?leaf={other.pk}")))
    assert [message["id"] for message in exported["messages"]] == [str(other.parent_id), str(other.pk)]


@pytest.mark.parametrize("form", ["json", "jsonl", "markdown"])
def test_what_was_hidden_is_in_no_file(client_of_owner: JSONClient, tree: Chat, form: str) -> None:
    exported = content_of(export(client_of_owner, tree, f"?format={form}"))
    assert "The Nile." in exported
    assert "secret" not in exported


@pytest.mark.parametrize("form", ["json", "jsonl", "markdown"])
def test_a_chat_without_messages_is_a_file_too(client_of_owner: JSONClient, chat: Chat, form: str) -> None:
    exported = content_of(export(client_of_owner, chat, f"?format={form}"))
    assert form != "json" or json.loads(exported)["messages"] == []


def test_a_long_chat_comes_whole_and_in_order(client_of_owner: JSONClient, chat: Chat) -> None:
    made = [str(make_request(chat, str(n)).pk) for n in range(120)]
    exported = json.loads(content_of(export(client_of_owner, chat)))
    assert [message["id"] for message in exported["messages"]] == made


@pytest.mark.parametrize(
    ("title", "header"),
    [("Rivers", 'attachment; filename="Rivers.json"'), ('a"b/../c', 'attachment; filename="a b .. c.json"'),
     ("Flüsse\r\nX: y", "attachment; filename*=utf-8''Fl%C3%BCsseX%20y.json")],
)  # fmt: skip
def test_the_file_is_called_as_the_chat(client_of_owner: JSONClient, chat: Chat, title: str, header: str) -> None:
    Chat.objects.filter(pk=chat.pk).update(title=title)
    assert export(client_of_owner, chat)["Content-Disposition"] == header


@pytest.mark.parametrize(("query", "field"), [("?format=pdf", "format"), ("?leaf=x", "leaf")])
def test_a_wrong_parameter_is_named(client_of_owner: JSONClient, chat: Chat, query: str, field: str) -> None:
    response = export(client_of_owner, chat, query)
    assert (response.status_code, list(response.json()["fields"])) == (400, [field])


def test_a_chat_is_exported_by_its_own_name(client_of_owner: JSONClient, chat: Chat, engine: Engine) -> None:
    Chat.objects.filter(pk=chat.pk).update(name="a/b")
    assert content_of(client_of_owner.ask("GET", "/chats/a%2Fb/export/?format=markdown")).startswith("# Rivers")
