"""Messages of a chat: the tree, a branch, one."""

import pytest

from chats.models import Chat, Message
from tests.chats.api.makers import END, JSONClient, make_request, make_response, start_of, text
from workbench.models import User


def ids_of(client: JSONClient, chat: Chat, query: str = "") -> list[str]:
    return [message["id"] for message in client.get_json(f"/chats/{chat.pk}/messages/{query}")["results"]]


def test_the_tree_is_listed_in_the_order_of_its_making(chat: Chat, client_of_owner: JSONClient) -> None:
    first = make_response(chat, [start_of(), END])
    again = make_response(chat, [start_of(), END], parent=first.parent)
    assert ids_of(client_of_owner, chat) == [str(first.parent_id), str(first.pk), str(again.pk)]


def test_a_leaf_gives_its_branch_from_the_root(chat: Chat, client_of_owner: JSONClient) -> None:
    first = make_response(chat, [start_of(), END])
    make_response(chat, [start_of(), END], parent=first.parent)
    leaf = make_request(chat, parent=first)
    assert ids_of(client_of_owner, chat, f"?leaf={leaf.pk}") == [str(first.parent_id), str(first.pk), str(leaf.pk)]


@pytest.mark.parametrize("leaf", ["", "x", "01890a5d-ac96-774b-bcce-b302099a8057"])
def test_a_leaf_that_isnt_there_is_refused(chat: Chat, client_of_owner: JSONClient, leaf: str) -> None:
    response = client_of_owner.ask("GET", f"/chats/{chat.pk}/messages/?leaf={leaf}")
    assert (response.status_code, list(response.json()["fields"])) == (400, ["leaf"])


def test_a_leaf_of_another_chat_is_refused(chat: Chat, owner: User, client_of_owner: JSONClient) -> None:
    elsewhere = make_request(Chat.objects.create(owner=owner))
    assert client_of_owner.ask("GET", f"/chats/{chat.pk}/messages/?leaf={elsewhere.pk}").status_code == 400


def test_one_message_is_shown_as_in_the_list(chat: Chat, client_of_owner: JSONClient, response: Message) -> None:
    shown = client_of_owner.get_json(f"/messages/{response.pk}/")
    assert shown == client_of_owner.get_json(f"/chats/{chat.pk}/messages/")["results"][-1]
    assert set(shown) == {
        "id", "chat_id", "parent_id", "kind", "status", "sequence", "parts", "errors", "metadata", "task", "model_id",
        "usage", "feedback", "created_at", "finished_at",
    }  # fmt: skip


def test_what_was_hidden_is_in_no_message(chat: Chat, client_of_owner: JSONClient) -> None:
    response = make_response(chat, [start_of(), ("content", {"content": "secret"}, False), text("open"), END])
    answers = [
        client_of_owner.ask("GET", path) for path in (f"/messages/{response.pk}/", f"/chats/{chat.pk}/messages/")
    ]
    assert all(b"open" in answer.content and b"secret" not in answer.content for answer in answers)
