"""`manage.py create_token`."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from chats.models import AccessToken
from tests.chats.api.makers import JSONClient
from workbench.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def user() -> User:
    return User.objects.create_user("ada")


def create_token(*arguments: str) -> tuple[str, str]:
    """What it printed: on standard output and on standard error."""
    out, err = StringIO(), StringIO()
    call_command("create_token", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_token_alone_is_on_standard_output_and_opens_the_door() -> None:
    out, err = create_token("ada")
    secret = out.removesuffix("\n")
    assert secret.startswith("wb_")
    assert not set(secret) & set(" \n")
    assert secret not in err
    assert JSONClient().ask("GET", "/chats/", authorization=f"Bearer {secret}").status_code == 200


def test_without_limits_it_has_all_scopes_and_no_end(user: User) -> None:
    create_token("ada")
    token = AccessToken.objects.get()
    assert (token.user, token.scopes, token.expires_at) == (user, ["read", "write", "generate"], None)


def test_scopes_name_and_days_are_kept() -> None:
    _, err = create_token("ada", "--scopes", "generate, read", "--name", "nightly", "--days", "30")
    token = AccessToken.objects.get()
    assert (token.name, token.scopes) == ("nightly", ["read", "generate"])
    assert token.expires_at is not None
    assert abs(token.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=5)
    assert f"{token.expires_at:%Y-%m-%d}" in err


def test_the_database_has_only_its_hash() -> None:
    out, _ = create_token("ada")
    [row] = AccessToken.objects.values_list()
    assert out.strip() not in map(str, row)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nobody"], "no user named 'nobody'"),
        (["ada", "--scopes", "read,admin"], "--scopes"),
        (["ada", "--scopes", ","], "--scopes"),
        (["ada", "--days", "0"], "--days"),
        (["ada", "--days", "99999999"], "--days"),
        (["ada", "--name", "x" * 101], "--name"),
    ],
)
def test_what_it_cant_do_it_says(arguments: list[str], word: str) -> None:
    with pytest.raises(CommandError, match=word):
        create_token(*arguments)
    assert not AccessToken.objects.exists()


def test_a_deactivated_user_gets_none() -> None:
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="deactivated"):
        create_token("ada")
