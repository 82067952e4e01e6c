"""Makes the database of a browser test's site: tables, readers and an admin. A program; DATABASE_URL says where.

It prints a JSON object: the name of the session cookie, and of every user a session in which he is signed in.
"""

import json
import os
import sys
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from workbench.models import User

PASSWORD = "correct horse"
READERS = [f"reader{number}" for number in range(40)]
ADMIN = "auditor"


def make() -> None:
    from django.conf import settings
    from django.contrib.auth.hashers import make_password
    from django.core.management import call_command
    from django.db import transaction

    from workbench.models import User

    call_command("migrate", verbosity=0)
    password = make_password(PASSWORD)
    User.objects.bulk_create([User(username=name, password=password) for name in READERS])
    User.objects.create(username=ADMIN, password=password, is_staff=True, is_superuser=True)
    with transaction.atomic():
        sessions = {user.username: session_of(user) for user in User.objects.all()}
    json.dump({"cookie": settings.SESSION_COOKIE_NAME, "sessions": sessions}, sys.stdout)


def session_of(user: "User") -> str:
    """The key of a session in which the user is signed in, as by django.contrib.auth.login."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.backends import ModelBackend
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = f"{ModelBackend.__module__}.{ModelBackend.__name__}"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "workbench.settings"
    django.setup()
    make()
