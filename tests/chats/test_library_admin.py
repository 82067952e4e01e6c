"""The admin of personas, prompts and feedback."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chats.models import Chat, Feedback, Message, Persona, Prompt
from tests.chats.api.makers import END, make_response, start_of, text
from workbench.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.mark.parametrize(("name", "model", "field"), [("persona", Persona, "prompt"), ("prompt", Prompt, "text")])
def test_the_sites_own_are_made_and_changed(admin: Client, name: str, model: Any, field: str) -> None:
    fields = {"name": "Editor", "description": "", field: "Be brief.", "enabled": "on"}
    admin.post(reverse(f"admin:chats_{name}_add"), fields)
    made = model.objects.get()
    admin.post(reverse(f"admin:chats_{name}_change", args=[made.pk]), fields | {field: "Be briefer."})
    made.refresh_from_db()
    assert (getattr(made, field), made.owner) == ("Be briefer.", None)
    assert admin.get(reverse(f"admin:chats_{name}_changelist"), {"q": "edit"}).status_code == 200


@pytest.fixture
def response() -> Message:
    chat = Chat.objects.create(owner=User.objects.create_user("ada"), title="zanzibar")
    made = make_response(chat, [start_of(), text("zanzibar"), END])
    Feedback.objects.create(message=made, rating="down", comment="Wrong river.")
    return made


def test_feedback_is_listed_with_the_way_to_the_transcript_and_without_the_answer(
    admin: Client, response: Message
) -> None:
    page = admin.get(reverse("admin:chats_feedback_changelist")).content.decode()
    assert "Wrong river." in page
    assert reverse("admin:chats_chat_transcript", args=[response.chat_id]) in page
    assert "zanzibar" not in page


def test_feedback_isnt_changed_by_staff(admin: Client, response: Message) -> None:
    address = reverse("admin:chats_feedback_change", args=[response.pk])
    page = admin.get(address)
    assert (page.status_code, "Save" in page.content.decode()) == (200, False)
    assert admin.post(address, {"rating": "up"}).status_code == 403


def test_a_long_list_of_feedback_takes_few_queries(
    admin: Client, response: Message, django_assert_max_num_queries: Any
) -> None:
    for _ in range(10):
        made = make_response(response.chat, [start_of(), END])
        Feedback.objects.create(message=made, rating="up")
    with django_assert_max_num_queries(12):
        assert admin.get(reverse("admin:chats_feedback_changelist")).status_code == 200
