"""Sockets end with the right that opened them."""

from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.utils import timezone

from chats import guard
from chats.admission import Admission
from chats.credentials import SessionCredential, TokenCredential
from chats.models import AccessToken, Run
from tests.chats.live import Client, login, make_user


@pytest.fixture
def user(db):
    return make_user()


def by_session(user):
    return Admission(user, SessionCredential(login(user)))


def by_token(user, **fields):
    token, _ = AccessToken.issue(user, scopes=["read"], **fields)
    return Admission(user, TokenCredential(token.pk), frozenset(["read"]))


def log_out(user):
    Session.objects.all().delete()


def change_password(user):
    changed = type(user).objects.get(pk=user.pk)  # as another process would; the socket's own stays as it was
    changed.set_password("another horse")
    changed.save()


def deactivate(user):
    type(user).objects.filter(pk=user.pk).update(is_active=False)


def delete(user):
    type(user).objects.filter(pk=user.pk).delete()


def let_sessions_expire(user):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def revoke(user):
    AccessToken.objects.update(revoked_at=timezone.now())


def let_tokens_expire(user):
    AccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


ENDS_OF_SESSIONS = [log_out, change_password, deactivate, delete, let_sessions_expire]
ENDS_OF_TOKENS = [revoke, let_tokens_expire, deactivate]


def test_a_right_that_stands_doesnt_lapse(user):
    assert guard.lapsed_among({by_session(user), by_token(user)}) == set()


@pytest.mark.parametrize("end", ENDS_OF_SESSIONS)
def test_a_login_lapses(user, end):
    admitted = by_session(user)
    end(user)
    assert guard.lapsed_among({admitted}) == {admitted}


@pytest.mark.parametrize("end", ENDS_OF_TOKENS)
def test_a_token_lapses(user, end):
    admitted = by_token(user)
    end(user)
    assert guard.lapsed_among({admitted}) == {admitted}


def test_only_the_right_that_lapsed_lapses(user):
    other = make_user("grace")
    kept, ended, by_others = by_token(user), by_session(user), by_session(other)
    Session.objects.filter(pk=ended.credential.session_key).delete()
    assert guard.lapsed_among({kept, ended, by_others}) == {ended}


def test_a_tokens_bearer_may_change_the_password(user):
    admitted = by_token(user)
    change_password(user)
    assert guard.lapsed_among({admitted}) == set()


def test_many_sockets_are_looked_up_with_a_handful_of_queries(user, django_assert_max_num_queries):
    admitted = {by_token(user) for _ in range(20)} | {by_session(user) for _ in range(20)}
    with django_assert_max_num_queries(4):
        assert guard.lapsed_among(admitted) == set()


@pytest.fixture
def quick_look(monkeypatch):
    monkeypatch.setattr(guard, "LOOK_EVERY", 0.05)


@pytest.mark.parametrize("end", [log_out, change_password, deactivate])
async def test_a_socket_is_closed_with_its_login(quick_look, engine, end):
    user = await sync_to_async(make_user)()
    async with Client(await sync_to_async(login)(user)) as client:
        await sync_to_async(end)(user)
        assert await client.closing_code() == 4401


@pytest.mark.parametrize("end", [revoke, let_tokens_expire])
async def test_a_socket_is_closed_with_its_token(quick_look, engine, end):
    user = await sync_to_async(make_user)()
    _, secret = await sync_to_async(AccessToken.issue)(user, scopes=["read"])
    async with Client(headers={"authorization": f"Bearer {secret}"}) as client:
        await sync_to_async(end)(user)
        assert await client.closing_code() == 4401


async def test_the_sockets_of_others_stay_open(quick_look, engine):
    user, other = await sync_to_async(make_user)(), await sync_to_async(make_user)("grace")
    async with Client(await sync_to_async(login)(user)) as client, Client(await sync_to_async(login)(other)) as theirs:
        await sync_to_async(deactivate)(user)
        assert await client.closing_code() == 4401
        await theirs.send(type="ping")
        assert (await theirs.receive())["type"] == "pong"


async def test_a_socket_whose_right_has_lapsed_starts_nothing_more(quick_look, engine):
    user, other = await sync_to_async(make_user)(), await sync_to_async(make_user)("grace")
    async with Client(await sync_to_async(login)(user)) as client:
        await sync_to_async(log_out)(user)
        assert await client.closing_code() == 4401
        async with Client(await sync_to_async(login)(other)) as theirs:
            await client.send(type="start", request_id="late", task="demo", parts=[{"content": "text"}])
            await theirs.ask("text", task="demo")
    assert not await Run.objects.filter(request_id="late").aexists()


async def test_of_more_sockets_than_are_looked_at_at_once_all_are_closed(quick_look, engine, monkeypatch):
    monkeypatch.setattr(guard, "AT_ONCE", 2)
    user, other = await sync_to_async(make_user)(), await sync_to_async(make_user)("grace")
    session = await sync_to_async(login)(user)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Client(session)) for _ in range(5)]
        theirs = await stack.enter_async_context(Client(await sync_to_async(login)(other)))
        await sync_to_async(deactivate)(user)
        assert [await client.closing_code() for client in clients] == [4401] * 5
        await theirs.send(type="ping")
        assert (await theirs.receive())["type"] == "pong"
