"""The admin: nothing that anybody wrote on a list or detail page, and a transcript that isn't read without a record."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chats.engine import get_engine
from chats.files import File, part_of
from chats.models import AccessRecord, AccessToken, Chat, Event, Message, Run, Worker
from tests.chats.api.makers import END, make_request, make_response, start_of, text
from tests.chats.attaching import kept
from workbench.models import User

SECRET = "zanzibar"
LISTED = ("chat", "message", "run", "event", "file", "worker", "accessrecord", "accesstoken")


@pytest.fixture
def engine(transactional_db: None) -> Iterator[None]:
    get_engine().start()
    yield
    get_engine().stop()


@pytest.fixture
def owner(engine: None) -> User:
    return User.objects.create_user("owner")


@pytest.fixture
def response(owner: User) -> Message:
    """An answer in which every text says SECRET, visible, hidden, failed and in the audit's own fields."""
    chat = Chat.objects.create(owner=owner, title=SECRET, name=SECRET, metadata={"a": SECRET})
    hidden = ("content", {"content": f"hidden {SECRET}"}, False)
    error = ("error", {"error_type": "handler_error", "message": f"failed {SECRET}"})
    end = ("response_end", {"status": "error", "usage": {}, "error_type": "handler_error"})
    metadata = ("metadata", {"metadata": {"b": SECRET}})
    events = [start_of(), text(SECRET), hidden, metadata, error, end]
    made = make_response(chat, events, parent=make_request(chat, SECRET))
    Event.objects.filter(response=made, type="error").update(details=f"trace {SECRET}")
    notes = [{"at": "now", "note": "dropped", "what": SECRET}]
    Run.objects.filter(pk=made.pk).update(inputs={"persona": SECRET}, notes=notes)
    return made


@pytest.fixture
def admin(engine: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def transcript_of(response: Message) -> str:
    return reverse("admin:chats_chat_transcript", args=[response.chat_id])


def log_of(response: Message) -> str:
    return reverse("admin:chats_chat_log", args=[response.chat_id, response.pk])


def read(client: Client, address: str, reason: str = "a complaint") -> str:
    return client.post(address, {"reason": reason}, follow=True).content.decode()


@pytest.mark.parametrize("name", LISTED)
def test_a_list_shows_nothing_that_anybody_wrote(admin, response, name):
    page = admin.get(reverse(f"admin:chats_{name}_changelist"))
    assert page.status_code == 200
    assert SECRET not in page.content.decode()


@pytest.mark.parametrize("name", ["chat", "message", "run", "event"])
def test_a_detail_page_shows_nothing_that_anybody_wrote(admin, response, name):
    models = {"chat": Chat, "message": Message, "run": Run, "event": Event}
    for row in models[name].objects.all():
        page = admin.get(reverse(f"admin:chats_{name}_change", args=[row.pk]))
        assert page.status_code == 200
        assert SECRET not in page.content.decode()
        assert "Save" not in page.content.decode()


@pytest.mark.parametrize("name", [*LISTED[:6], "accessrecord", "accesstoken"])
def test_what_is_on_record_cannot_be_added(admin, name):
    assert admin.get(reverse(f"admin:chats_{name}_add")).status_code == 403


@pytest.mark.parametrize(("name", "model"), [("chat", Chat), ("message", Message), ("run", Run), ("event", Event)])
def test_what_is_on_record_cannot_be_changed_or_deleted(admin, response, name, model):
    row = model.objects.first()
    assert admin.post(reverse(f"admin:chats_{name}_change", args=[row.pk]), {"status": "x"}).status_code == 403
    assert admin.post(reverse(f"admin:chats_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert admin.get(reverse(f"admin:chats_{name}_history", args=[row.pk])).status_code == 404


@pytest.mark.parametrize("name", ["chat", "message", "run", "event"])
def test_a_search_finds_by_id_and_by_owner_and_never_by_words(admin, response, name):
    address = reverse(f"admin:chats_{name}_changelist")

    def found(query: str) -> int:
        return len(admin.get(address, {"q": query}).context["cl"].result_list)

    assert found(str(response.chat_id)) > 0
    assert found("own") > 0
    assert found(SECRET) == 0


def test_a_run_is_found_by_its_correlation_id(admin, response):
    Run.objects.update(correlation_id="0b9c-42")
    page = admin.get(reverse("admin:chats_run_changelist"), {"q": "0b9c-42"})
    assert len(page.context["cl"].result_list) == 1


def test_a_transcript_is_not_shown_before_a_reason_is_given(admin, response):
    page = admin.get(transcript_of(response))
    assert SECRET not in page.content.decode()
    assert not AccessRecord.objects.exists()
    assert SECRET not in read(admin, transcript_of(response), reason="  ")
    assert not AccessRecord.objects.exists()


def test_a_transcript_shows_what_the_owner_sees_and_what_is_hidden_from_them(admin, response):
    page = read(admin, transcript_of(response))
    assert f"hidden {SECRET}" in page
    assert "hidden-part" in page
    for words in (f"failed {SECRET}", f"trace {SECRET}", "dropped", "persona"):
        assert words in page
    record = AccessRecord.objects.get()
    assert (record.user.username, record.chat_id, record.reason) == ("root", response.chat_id, "a complaint")


def test_every_reading_is_recorded_with_the_reason_given_once(admin, response):
    read(admin, transcript_of(response))
    admin.get(transcript_of(response))
    admin.get(log_of(response))
    assert list(AccessRecord.objects.values_list("reason", flat=True)) == ["a complaint"] * 3


def test_a_reason_for_one_chat_is_none_for_another(admin, response, owner):
    read(admin, transcript_of(response))
    other = make_response(Chat.objects.create(owner=owner), [text(SECRET)])
    assert SECRET not in admin.get(transcript_of(other)).content.decode()


def test_the_log_shows_every_event_with_the_hidden_ones_marked(admin, response):
    page = read(admin, log_of(response))
    assert page.split('class="log"')[1].count("<tr") == 1 + Event.objects.filter(response=response).count()
    assert page.count('class="hidden-part"') == 1
    assert f"trace {SECRET}" in page


def test_an_unfinished_answer_is_folded_as_far_as_it_has_come(admin, owner):
    chat = Chat.objects.create(owner=owner)
    running = make_response(chat, [start_of(), text("so far"), ("content", {"content": "unseen"}, False)])
    page = read(admin, transcript_of(running))
    assert "so far" in page
    assert "unseen" in page


def test_staff_without_the_permission_to_read_messages_read_nothing(response):
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_chat"))
    client = Client()
    client.force_login(clerk)
    assert client.get(reverse("admin:chats_chat_changelist")).status_code == 200
    assert client.get(transcript_of(response)).status_code == 403
    assert client.post(transcript_of(response), {"reason": "curious"}).status_code == 403
    assert not AccessRecord.objects.exists()


def test_the_owner_is_no_staff_and_gets_a_login_page(response, owner):
    client = Client()
    client.force_login(owner)
    assert client.get(transcript_of(response)).status_code == 302


@pytest.mark.parametrize("after", ["x", "1_0", "-2", "9" * 20])
def test_a_place_in_a_log_that_cannot_be_is_not_found(admin, response, after):
    assert 'class="log"' in read(admin, log_of(response))
    assert admin.get(log_of(response), {"after": after}).status_code == 404


def test_a_log_is_found_under_its_own_chat_only(admin, response, owner):
    other = Chat.objects.create(owner=owner)
    assert admin.get(reverse("admin:chats_chat_log", args=[other.pk, response.pk])).status_code == 404


def test_a_token_is_revoked_and_its_secret_is_nowhere(admin, owner):
    token, secret = AccessToken.issue(owner, name="laptop")
    address = reverse("admin:chats_accesstoken_changelist")
    admin.post(address, {"action": "revoke", "_selected_action": [str(token.pk)]})
    token.refresh_from_db()
    assert token.revoked_at is not None
    detail = reverse("admin:chats_accesstoken_change", args=[token.pk])
    for page in (admin.get(address), admin.get(detail)):
        assert secret not in page.content.decode()
        assert token.digest not in page.content.decode()
        assert "revoked" in page.content.decode()


def test_a_writer_that_is_held_up_is_told_and_no_fault(admin, owner, monkeypatch):
    token, _ = AccessToken.issue(owner)
    monkeypatch.setattr("chats.admin.PATIENCE", 0.01)
    gate = threading.Event()
    held = get_engine().write(gate.wait, 20)
    body = {"action": "revoke", "_selected_action": [str(token.pk)]}
    try:
        page = admin.post(reverse("admin:chats_accesstoken_changelist"), body, follow=True)
    finally:
        gate.set()
    assert "database doesn&#x27;t answer" in page.content.decode()
    assert held.result(20)


def test_staff_who_may_only_see_tokens_cannot_revoke_them(owner):
    token, _ = AccessToken.issue(owner)
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_accesstoken"))
    client = Client()
    client.force_login(clerk)
    address = reverse("admin:chats_accesstoken_changelist")
    client.post(address, {"action": "revoke", "_selected_action": [str(token.pk)]})
    token.refresh_from_db()
    assert token.revoked_at is None


def test_a_worker_shows_what_it_still_runs(admin, owner):
    # Another process's: what its own lease names and doesn't run, the engine ends at its next beat.
    worker = Worker.objects.create(host="elsewhere", pid=1, beat_at=timezone.now())
    running = make_response(Chat.objects.create(owner=owner), [start_of()])
    Run.objects.filter(pk=running.pk).update(worker=worker)
    rows = admin.get(reverse("admin:chats_worker_changelist")).context["cl"].result_list
    assert {row.pk: row.running for row in rows}[worker.pk] == 1


def test_lists_take_a_few_queries_however_long_they_are(admin, owner, django_assert_max_num_queries):
    for _ in range(12):
        make_response(Chat.objects.create(owner=owner), [start_of(), END])
    for name in ("chat", "message", "run", "event"):
        with django_assert_max_num_queries(12):
            admin.get(reverse(f"admin:chats_{name}_changelist"))


@pytest.fixture
def attached(response: Message, settings: Any, tmp_path: Any) -> str:
    """The address at which staff have a file of the chat."""
    settings.MEDIA_ROOT = tmp_path
    file = kept(response.chat.owner, SECRET.encode(), "q3.txt")
    file.messages.add(response)
    Message.objects.filter(pk=response.parent_id).update(parts=[part_of(file)])
    return reverse("admin:chats_chat_file", args=[response.chat_id, file.pk])


def test_a_files_pages_show_no_name(admin: Client, attached: str) -> None:
    File.objects.update(name=f"{SECRET}.txt")
    for address in (
        reverse("admin:chats_file_changelist"),
        reverse("admin:chats_file_change", args=[File.objects.get().pk]),
    ):
        page = admin.get(address)
        assert page.status_code == 200
        assert SECRET not in page.content.decode()


def test_staff_have_an_attachment_once_they_said_why_and_each_time_on_record(
    admin: Client, response: Message, attached: str
) -> None:
    refused = admin.get(attached)
    assert (refused.status_code, refused["Location"]) == (302, transcript_of(response))
    transcript = admin.post(transcript_of(response), {"reason": "A complaint"}, follow=True)
    assert f'href="{attached}"' in transcript.content.decode()
    answer = admin.get(attached)
    assert (answer.content, answer["Content-Security-Policy"]) == (SECRET.encode(), "sandbox; default-src 'none'")
    assert [record.reason for record in AccessRecord.objects.all()] == ["A complaint"] * 2


def test_an_attachment_of_another_chat_isnt_had_with_this_ones_reason(
    admin: Client, response: Message, attached: str
) -> None:
    other = Chat.objects.create(owner=response.chat.owner)
    address = attached.replace(str(response.chat_id), str(other.pk))
    admin.post(reverse("admin:chats_chat_transcript", args=[other.pk]), {"reason": "Another"})
    assert admin.get(address).status_code == 404
