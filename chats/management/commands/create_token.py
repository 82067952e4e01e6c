"""`manage.py create_token USER`: an access token for the API, printed once."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from chats.models import AccessToken

LONGEST = 3650  # days


class Command(BaseCommand):
    help = "Makes an access token for the HTTP API and prints it: once, alone, on standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        scopes = "; ".join(f"{scope.value}: {scope.label}" for scope in AccessToken.Scope)
        parser.add_argument("user", help="the name of the user whose rights it gives")
        parser.add_argument("--scopes", default=",".join(AccessToken.Scope.values), help=f"default all. {scopes}")
        parser.add_argument("--name", default="", help="what it is for, to tell it from others")
        parser.add_argument("--days", type=int, help="how long it is valid; without it, until it is revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        user = _get_user(options["user"])
        scopes = _parse_scopes(options["scopes"])
        if len(options["name"]) > 100:
            raise CommandError("--name: at most 100 characters.")
        expires_at = _parse_days(options["days"])
        token, secret = AccessToken.issue(user, name=options["name"], scopes=scopes, expires_at=expires_at)
        until = f"until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else "until it is revoked in the admin"
        self.stderr.write(f"A token for {user} ({', '.join(token.scopes)}), valid {until}. It can't be shown again:")
        self.stdout.write(secret)


def _get_user(name: str) -> Any:
    users = get_user_model()
    try:
        user = users._default_manager.filter(**{users.USERNAME_FIELD: name}).first()
    except DatabaseError as error:
        raise CommandError(f"The database can't be read ({error}). Was `manage.py migrate` run?") from error
    if user is None:
        raise CommandError(f"There is no user named {name!r}. `manage.py createsuperuser` or the admin makes one.")
    if not user.is_active:
        raise CommandError(f"The user {name!r} is deactivated: a token would open nothing.")
    return user


def _parse_scopes(text: str) -> list[str]:
    known = AccessToken.Scope.values
    asked = {scope.strip() for scope in text.split(",")} - {""}
    if not asked or not asked <= set(known):
        raise CommandError(f"--scopes: one or more of {', '.join(known)}, with commas between them, not {text!r}.")
    return [scope for scope in known if scope in asked]


def _parse_days(days: int | None) -> Any:
    if days is None:
        return None
    if not 1 <= days <= LONGEST:
        raise CommandError(f"--days: from 1 to {LONGEST}.")
    return timezone.now() + timedelta(days=days)
