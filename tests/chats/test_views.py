"""The pages: whose they are, and what they bring with them."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from chats.models import Chat, Message, Run
from chats.reading import represent_message
from chats.templatetags.chat_page import MODULES
from tests.chats.api.makers import END, make_request, make_response, start_of, text
from workbench.models import User

HOSTILE = '</script><img src=x onerror="alert(1)">'


@pytest.fixture
def owner(db) -> User:
    return User.objects.create_user("owner")


@pytest.fixture
def client(owner) -> Client:
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def response(owner) -> Message:
    chat = Chat.objects.create(owner=owner, title="Rivers")
    return make_response(chat, [start_of(), text("The Nile."), ("content", {"content": "unseen"}, False), END])


def page_of(client: Client, response: Message):
    return client.get(reverse("chats:chat", args=[response.chat_id]))


def data_of(page) -> dict:
    found = re.search(
        r'<script id="page-data" type="application/json">(.*?)</script>', page.content.decode(), re.DOTALL
    )
    return json.loads(found.group(1))


@pytest.mark.parametrize("address", ["/", "/chats/01890a5d-ac96-774b-bcce-b302099a8057/"])
def test_who_is_not_logged_in_is_sent_to_the_login_page_and_back(db, address):
    assert Client().get(address).headers["Location"] == f"/login/?next={address}"


def test_another_users_chat_is_not_found(response):
    other = Client()
    other.force_login(User.objects.create_user("other"))
    assert page_of(other, response).status_code == 404


def test_a_deleted_chat_is_not_found(client, response):
    Chat.objects.update(status=Chat.State.DELETED)
    assert page_of(client, response).status_code == 404


def test_the_page_brings_the_branch_as_rest_gives_it(client, response):
    messages = [represent_message(response.parent), represent_message(response)]
    assert data_of(page_of(client, response))["messages"] == messages


def test_another_branch_is_not_on_the_page(client, response):
    make_response(response.chat, [start_of(), text("The Volga."), END], parent=response.parent)
    html = page_of(client, response).content.decode()
    assert "The Volga." in html
    assert "The Nile." not in html


def test_what_is_hidden_from_the_owner_is_nowhere_on_their_page(client, response):
    assert "unseen" not in page_of(client, response).content.decode()


def test_what_people_and_models_write_is_never_markup(client, owner):
    chat = Chat.objects.create(owner=owner, title=HOSTILE)
    sources = {"page_count": None, "word_count": None, "mime_type": HOSTILE}
    pointer = {"document_id": "d", "title": HOSTILE, "pointer": "javascript:alert(1)", **sources}
    events = [
        text(HOSTILE),
        ("document", pointer),
        ("tool_call", {"tool_id": "t", "tool_name": HOSTILE, "tool_args": {"a": HOSTILE}}),
        ("custom_thing", {HOSTILE: HOSTILE, "items": [HOSTILE]}),
        ("error", {"error_type": HOSTILE, "message": HOSTILE}),
        END,
    ]
    html = page_of(client, make_response(chat, events, parent=make_request(chat, HOSTILE))).content.decode()
    assert "<img" not in html
    assert 'href="javascript:' not in html


def test_the_list_is_the_readers_own_newest_first_without_archived_ones(client, owner):
    Chat.objects.create(owner=User.objects.create_user("other"), title="theirs")
    Chat.objects.create(owner=owner, title="archived", status=Chat.State.ARCHIVED)
    for title in ("older", "newer"):
        Chat.objects.create(owner=owner, title=title)
    assert [chat["title"] for chat in data_of(client.get("/"))["chats"]] == ["newer", "older"]


def test_the_list_goes_by_the_last_message_and_not_by_the_last_change(client, owner):
    old, new = Chat.objects.create(owner=owner, title="Old"), Chat.objects.create(owner=owner, title="New")
    Chat.objects.filter(pk=old.pk).update(last_message_at=old.created_at, updated_at=new.updated_at + timedelta(days=1))
    titles = [chat["title"] for chat in data_of(client.get("/"))["chats"]]
    assert titles == ["New", "Old"]


def test_a_page_of_private_things_is_not_kept_by_caches(client):
    assert "no-store" in client.get("/").headers["Cache-Control"]


def test_the_page_has_no_inline_script_but_the_import_map_and_no_inline_style(client, response):
    page = page_of(client, response)
    html = page.content.decode()
    scripts = re.findall(r"<script([^>]*)>", html)
    assert [re.search(r'type="([^"]*)"', script).group(1) for script in scripts] == [
        "importmap",
        "module",
        "application/json",
    ]
    nonce = re.search(r'nonce="([^"]+)"', scripts[0]).group(1)
    assert f"'nonce-{nonce}'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"\sstyle=|<style|\son\w+=", html)


def test_every_module_is_in_the_import_map():
    folder = Path(settings.BASE_DIR) / "chats" / "static" / "chats"
    modules = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.js")}
    assert modules == {*MODULES, "page", "admin"}  # those two are what pages begin with


def test_the_chat_page_takes_few_queries_however_long_the_chat(client, owner, django_assert_max_num_queries):
    chat = Chat.objects.create(owner=owner)
    parent = None
    for number in range(10):
        parent = make_response(chat, [start_of(), text(str(number)), END], parent=make_request(chat, "?", parent))
    with django_assert_max_num_queries(15):
        assert page_of(client, parent).status_code == 200


def state_of(response: Message) -> str:
    return reverse("chats:state", args=[response.chat_id])


def test_the_state_of_a_chat_is_what_its_page_brings(client, response):
    other = make_response(response.chat, [start_of(), text("The Volga."), END], parent=response.parent)
    state = client.get(state_of(response)).json()
    page = data_of(page_of(client, response))
    assert state == {name: page[name] for name in ("chat", "messages", "tree")}
    request = response.parent
    assert state["tree"] == [
        [str(request.pk), None],
        [str(response.pk), str(request.pk)],
        [str(other.pk), str(request.pk)],
    ]


def test_the_state_of_a_chat_is_its_owners_alone(response):
    assert Client().get(state_of(response)).status_code == 401
    stranger = Client()
    stranger.force_login(User.objects.create_user("other"))
    refusal = stranger.get(state_of(response))
    assert (refusal.status_code, refusal.json()["code"]) == (404, "not_found")


def test_pinned_chats_are_on_the_page_however_old_they_are(client, owner):
    Chat.objects.create(owner=owner, title="old and pinned", pinned=True)
    Chat.objects.bulk_create(Chat(owner=owner, title="newer") for _ in range(60))
    listed = [chat["title"] for chat in data_of(client.get("/"))["chats"]]
    assert listed.count("newer") == 50
    assert listed[-1] == "old and pinned"


def test_a_german_reader_gets_german_words_for_the_page_and_its_modules(client):
    html = client.get("/", headers={"Accept-Language": "de-AT,de;q=0.9"}).content.decode()
    assert '<html lang="de"' in html
    assert "Woran wollen wir arbeiten?" in html
    words = re.search(r'<script id="page-words" type="application/json">(.*?)</script>', html)
    assert json.loads(words.group(1))["Undo"] == "Rückgängig"


def trace_of(client: Client, response: Message):
    return client.get(reverse("chats:trace", args=[response.pk]))


@pytest.fixture
def failed(response) -> Run:
    Run.objects.update(correlation_id="c-1")
    return Run.objects.get(pk=response.pk)


def test_staff_get_the_correlation_id_with_the_way_to_the_run(client, owner, failed):
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    assert data_of(page_of(client, failed.response))["wording"]["trace"] == "/responses/{id}/trace/"
    trace = trace_of(client, failed.response).json()
    assert trace["correlation_id"] == "c-1"
    assert client.get(trace["address"]).status_code == 200


@pytest.mark.parametrize("fields", [{}, {"is_staff": True}], ids=["reader", "staff without the permission"])
def test_others_get_no_trace(client, owner, failed, fields):
    User.objects.filter(pk=owner.pk).update(**fields)
    assert "trace" not in data_of(page_of(client, failed.response))["wording"]
    assert trace_of(client, failed.response).status_code == 404


def test_with_debug_the_owner_gets_the_id_alone_and_nobody_gets_anothers(client, failed, settings):
    settings.DEBUG = True
    assert trace_of(client, failed.response).json() == {
        "correlation_id": "c-1",
        "address": None,
        "label": "Correlation id",
    }
    other = Client()
    other.force_login(User.objects.create_user("other"))
    assert trace_of(other, failed.response).status_code == 404
    assert trace_of(Client(), failed.response).status_code == 401


def test_what_an_answer_lacks_is_told_without_javascript_too(client, response):
    Message.objects.filter(pk=response.pk).update(metadata={"stop_reason": "max_tokens", "messages_left_out": 12})
    html = page_of(client, response).content.decode()
    assert "The answer reached its length limit." in html
    assert "The 12 oldest messages were too much for the model." in html


def test_a_continuation_is_shown_as_such(client, response):
    Message.objects.filter(pk=response.parent_id).update(metadata={"continues": str(response.pk)})
    html = page_of(client, response).content.decode()
    assert 'class="message continuation"' in html
    assert "Continued" in html


def test_the_page_says_what_may_be_attached(client):
    uploads = data_of(client.get(reverse("chats:new")))["uploads"]
    assert (uploads["max_bytes"], uploads["max_files"]) == (20 << 20, 10)
    assert {"image/png", "application/pdf"} <= set(uploads["types"])
