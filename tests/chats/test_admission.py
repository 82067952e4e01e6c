"""Who gets through the socket's door, by what right, and what they may read."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chats.admission import Admission, Refused, admit, hello, status_of
from chats.credentials import SessionCredential, TokenCredential
from chats.fields import new_id
from chats.models import AccessToken, Chat
from chats.protocol import DoorError
from chats.tickets import issue_ticket
from handlers.encoding import canonical_json
from tests.chats.api.makers import END, make_request, make_response, start_of, text
from tests.chats.live import login, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(db):
    return make_user()


@pytest.fixture(autouse=True)
def _hosts(settings):
    settings.ALLOWED_HOSTS = ["chat.example.org"]
    settings.WORKBENCH_ALLOWED_ORIGINS = ["https://elsewhere.example.org"]


def knock(session_key="", query="", **headers):
    sent = {"host": "chat.example.org", **headers}
    if session_key:
        sent["cookie"] = f"sessionid={session_key}"
    raw = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
    return {"type": "websocket", "headers": raw, "query_string": query.encode()}


def refused(scope):
    with pytest.raises(Refused) as caught:
        admit(scope)
    return caught.value.code


def token_for(user, **fields):
    return AccessToken.issue(user, **{"scopes": ["read", "generate"], **fields})


# Credentials


def test_a_login_gets_in_with_every_scope(user):
    admitted = admit(knock(login(user)))
    assert (admitted.user, admitted.scopes) == (user, None)
    admitted.require("generate")


@pytest.mark.parametrize("key", ["", "nonsense", "x" * 5000])
def test_without_a_session_nobody_gets_in(user, key):
    assert refused(knock(key)) == 4401


def test_the_session_of_a_deactivated_user_is_none(user):
    key = login(user)
    user.is_active = False
    user.save()
    assert refused(knock(key)) == 4401


def test_the_session_of_an_old_password_is_none(user):
    key = login(user)
    user.set_password("new")
    user.save()
    assert refused(knock(key)) == 4401


def test_a_token_gets_in_with_its_scopes(user):
    token, secret = token_for(user)
    admitted = admit(knock(authorization=f"Bearer {secret}"))
    assert (admitted.user, admitted.credential) == (user, TokenCredential(token.pk))
    assert admitted.scopes == {"read", "generate"}


def test_a_scope_that_a_token_lacks_is_forbidden_by_name(user):
    _, secret = token_for(user, scopes=["read"])
    admitted = admit(knock(authorization=f"Bearer {secret}"))
    with pytest.raises(DoorError, match="generate") as caught:
        admitted.require("generate")
    assert caught.value.code == "forbidden"


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer wb_made_up", "Bearer \xff\xfe"])
def test_a_made_up_token_opens_nothing_even_beside_a_session(user, header):
    assert refused(knock(login(user), authorization=header)) == 4401


def test_another_scheme_leaves_the_login_to_speak(user):
    assert admit(knock(login(user), authorization="Basic cHJveHk6cHJveHk=")).user == user
    assert refused(knock(authorization="Basic cHJveHk6cHJveHk=")) == 4401


@pytest.mark.parametrize(
    "fields", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(seconds=1)}], ids=list
)
def test_a_token_that_is_over_opens_nothing(user, fields):
    _, secret = token_for(user, **fields)
    assert refused(knock(authorization=f"Bearer {secret}")) == 4401


def test_a_ticket_lets_in_once_by_what_it_was_issued_for(user):
    key = login(user)
    scope = knock(query=f"ticket={issue_ticket(SessionCredential(key))}")
    assert admit(scope).credential == SessionCredential(key)
    assert refused(scope) == 4401


def test_a_tokens_ticket_has_the_tokens_scopes(user):
    token, _ = token_for(user, scopes=["read"])
    assert admit(knock(query=f"ticket={issue_ticket(TokenCredential(token.pk))}")).scopes == {"read"}


def test_a_ticket_of_a_token_that_was_revoked_meanwhile_opens_nothing(user):
    token, _ = token_for(user)
    ticket = issue_ticket(TokenCredential(token.pk))
    AccessToken.objects.update(revoked_at=timezone.now())
    assert refused(knock(query=f"ticket={ticket}")) == 4401


def test_while_the_cache_is_away_who_has_a_ticket_is_told_to_come_again(user, settings):
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    assert refused(knock(query="ticket=made-up")) == 1012
    assert admit(knock(login(user))).user == user


@pytest.mark.parametrize("query", ["ticket=", "ticket=made-up", "ticket=%00", "ticket=%ff", "&&=%", "ticket[]=x"])
def test_a_made_up_ticket_opens_nothing(user, query):
    assert refused(knock(query=query)) == 4401


# Origins


@pytest.mark.parametrize(
    "origin", ["https://chat.example.org", "http://CHAT.example.org", "https://elsewhere.example.org"]
)
def test_our_own_origin_and_those_that_are_named_may_come_in(user, origin):
    assert admit(knock(login(user), origin=origin)).user == user


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.org",
        "https://chat.example.org.evil.example.org",
        "https://chat.example.org:8443",
        "http://elsewhere.example.org",
        "null",
        "",
        "http://[",
        "\xff",
    ],
)
def test_another_origin_is_refused_whoever_is_logged_in(user, origin):
    assert refused(knock(login(user), origin=origin)) == 4403
    assert refused(knock(origin=origin)) == 4403


def test_a_host_that_isnt_ours_makes_no_origin_welcome(user):
    assert refused(knock(login(user), origin="https://evil.example.org", host="evil.example.org")) == 4403


# What they may read


def admitted(user, scopes=None):
    return Admission(user, SessionCredential("a-session"), scopes)


@pytest.fixture
def running(user):
    chat = Chat.objects.create(owner=user)
    return make_response(chat, [start_of(), text("a")], parent=make_request(chat))


def test_hello_names_what_is_running_and_how_far_it_is(user, running):
    assert hello(admitted(user)) == {
        "user_id": str(user.pk),
        "running": [{"chat_id": str(running.chat_id), "response_id": str(running.pk), "sequence": 1}],
    }


def test_hello_names_nothing_that_has_ended_is_deleted_or_anothers(user, running):
    make_response(Chat.objects.create(owner=user), [start_of(), END])
    assert hello(admitted(make_user("grace")))["running"] == []
    Chat.objects.filter(pk=running.chat_id).update(status="deleted")
    assert hello(admitted(user))["running"] == []


def test_hello_can_be_sent(user, running):
    assert canonical_json(hello(admitted(user)))


def test_a_response_of_ones_own_has_a_status_in_any_case(user, running):
    assert status_of(user, str(running.pk)) == status_of(user, str(running.pk).upper()) == "running"


@pytest.mark.parametrize("whose", ["another's", "a request's", "deleted", "made up", "no id"])
def test_any_other_is_not_found(user, running, whose):
    ids = {"a request's": str(running.parent_id), "made up": str(new_id()), "no id": "\0\ud800"}
    asking = make_user("grace") if whose == "another's" else user
    if whose == "deleted":
        Chat.objects.update(status="deleted")
    with pytest.raises(DoorError) as caught:
        status_of(asking, ids.get(whose, str(running.pk)))
    assert caught.value.code == "not_found"


def test_hello_tells_a_token_that_may_not_read_of_no_run(user, running):
    assert hello(admitted(user, frozenset(["generate"])))["running"] == []
