"""Sessions with their CSRF check, and access tokens with their scopes and limits."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chats.engine import Engine
from chats.models import AccessToken, Chat
from tests.chats.api.makers import JSONClient, bearer_of, logged_in
from workbench.models import User


def test_nobody_gets_a_challenge_that_opens_no_browser_dialogue(db: None) -> None:
    response = JSONClient().ask("GET", "/chats/")
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response["WWW-Authenticate"] == "Bearer"


def with_csrf_checks(user: User) -> JSONClient:
    client = JSONClient(enforce_csrf_checks=True)
    client.force_login(user)
    return client


def test_a_session_without_its_csrf_token_may_not_write(owner: User) -> None:
    response = with_csrf_checks(owner).ask("POST", "/chats/", {})
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert "CSRF" in response.json()["message"]


def test_a_session_with_its_csrf_token_may_write(owner: User, engine: Engine) -> None:
    client = with_csrf_checks(owner)
    client.cookies["csrftoken"] = "a" * 32
    assert client.ask("POST", "/chats/", {}, **{"X-CSRFToken": "a" * 32}).status_code == 201


def test_a_token_needs_no_csrf_token(owner: User, engine: Engine) -> None:
    client = bearer_of(owner)
    client.handler.enforce_csrf_checks = True
    assert client.ask("POST", "/chats/", {}).status_code == 201


def test_a_missing_scope_is_named(owner: User) -> None:
    response = bearer_of(owner, "read").ask("POST", "/chats/", {})
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert "“write”" in response.json()["message"]


@pytest.mark.parametrize("limits", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now()}])
def test_a_token_that_is_over_opens_nothing(owner: User, limits: dict[str, object]) -> None:
    response = bearer_of(owner, **limits).ask("GET", "/chats/")
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")


def test_a_deactivated_users_token_and_session_open_nothing(owner: User) -> None:
    clients = bearer_of(owner), logged_in(owner)
    User.objects.update(is_active=False)
    assert [client.ask("GET", "/chats/").status_code for client in clients] == [401, 401]


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer x", "bearer wb_é", "Bearer a b"])
def test_a_made_up_token_opens_nothing_even_beside_a_session(client_of_owner: JSONClient, header: str) -> None:
    response = client_of_owner.ask("GET", "/chats/", authorization=header)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


def test_another_scheme_leaves_the_session_to_speak(client_of_owner: JSONClient) -> None:
    assert client_of_owner.ask("GET", "/chats/", authorization="Basic eDp5").status_code == 200


def test_a_tokens_user_sees_his_own(owner: User, stranger: User, chat: Chat) -> None:
    [mine] = bearer_of(owner).get_json("/chats/")["results"]
    assert mine["id"] == str(chat.pk)
    assert bearer_of(stranger).get_json("/chats/")["results"] == []


def last_use(engine: Engine) -> object:
    engine.write(lambda: None).result()  # the journal's jobs before this one are done
    return AccessToken.objects.get().last_used_at


def test_a_tokens_use_is_noted_once_a_minute(owner: User, engine: Engine) -> None:
    client = bearer_of(owner)
    client.ask("GET", "/chats/")
    first = last_use(engine)
    client.ask("GET", "/chats/")
    assert first is not None
    assert last_use(engine) == first
    AccessToken.objects.update(last_used_at=first - timedelta(seconds=61))
    client.ask("GET", "/chats/")
    assert last_use(engine) > first


def test_a_token_reads_also_where_nothing_can_be_written(owner: User) -> None:
    assert bearer_of(owner).ask("GET", "/chats/").status_code == 200
