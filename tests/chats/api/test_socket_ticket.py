"""Tickets for websockets: once, for a minute, with their bearer's rights."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache

from chats.credentials import SessionCredential, TokenCredential
from chats.models import AccessToken
from chats.tickets import issue_ticket, redeem_ticket
from tests.chats.api.makers import JSONClient, bearer_of
from workbench.models import User


def ticket_of(client: JSONClient) -> str:
    response = client.ask("POST", "/socket-ticket/")
    assert (response.status_code, response.json()["expires_in"]) == (201, 60)
    return response.json()["ticket"]


def test_a_ticket_stands_for_the_session_that_asked(owner: User, client_of_owner: JSONClient) -> None:
    credential = redeem_ticket(ticket_of(client_of_owner))
    assert credential == SessionCredential(client_of_owner.session.session_key)
    assert credential.find_user() == owner


def test_a_ticket_stands_for_the_token_that_asked_with_its_scopes(owner: User) -> None:
    credential = redeem_ticket(ticket_of(bearer_of(owner, "read")))
    assert isinstance(credential, TokenCredential)
    token = credential.find_token()
    assert token is not None
    assert (token.user, token.scopes) == (owner, ["read"])


def test_a_ticket_is_good_once() -> None:
    ticket = issue_ticket(SessionCredential("s"))
    assert redeem_ticket(ticket) is not None
    assert redeem_ticket(ticket) is None


def test_of_two_who_come_at_once_one_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = issue_ticket(SessionCredential("s"))
    both_have_read = threading.Barrier(2, timeout=10)
    read = LocMemCache.get

    def read_together(self: LocMemCache, key: str) -> object:
        value = read(self, key)
        both_have_read.wait()
        return value

    monkeypatch.setattr(LocMemCache, "get", read_together)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(redeem_ticket, [ticket, ticket]))
    assert sum(result is not None for result in results) == 1


@pytest.mark.parametrize("ticket", ["", "x", "\ud800", "x" * 10_000])
def test_a_made_up_ticket_is_nothing(ticket: str) -> None:
    assert redeem_ticket(ticket) is None


def test_the_cache_holds_no_ticket_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    monkeypatch.setattr(cache, "set", lambda *entry: kept.append(entry))
    ticket = issue_ticket(SessionCredential("s"))
    [(key, value, lifetime)] = kept
    assert ticket not in key + value
    assert lifetime == 60


def test_while_the_cache_is_away_there_are_none(client_of_owner: JSONClient, settings: Any) -> None:
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    response = client_of_owner.ask("POST", "/socket-ticket/")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response["Retry-After"]) > 0


@pytest.mark.parametrize("end", ["logout", "password", "deactivated"])
def test_a_session_that_is_over_stands_for_nobody(owner: User, client_of_owner: JSONClient, end: str) -> None:
    credential = redeem_ticket(ticket_of(client_of_owner))
    assert credential is not None
    assert credential.holds()
    if end == "logout":
        client_of_owner.logout()
    elif end == "password":
        owner.set_password("another")
        owner.save()
    else:
        User.objects.update(is_active=False)
    assert not credential.holds()
    assert credential.find_user() is None


def test_a_revoked_token_stands_for_nobody(owner: User) -> None:
    credential = redeem_ticket(ticket_of(bearer_of(owner)))
    assert credential is not None
    AccessToken.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert not credential.holds()
    assert credential.find_user() is None
