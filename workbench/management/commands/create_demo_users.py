"""`manage.py create_demo_users`: somebody to log in as, on one's own machine."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from workbench.models import User

PASSWORD_BYTES = 12
DEMO_USERS = {"demo": False, "admin": True}  # name: whether staff and superuser


class Command(BaseCommand):
    help = "Make the users demo and admin with generated passwords, printed once. Needs DEBUG."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--reset-passwords", action="store_true", help="give those that exist new passwords, and print them"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("Demo users are for one's own machine (DEBUG). Elsewhere: manage.py createsuperuser")
        for name, is_admin in DEMO_USERS.items():
            user, is_new = User.objects.get_or_create(
                username=name, defaults={"is_staff": is_admin, "is_superuser": is_admin}
            )
            if is_new or options["reset_passwords"]:
                password = secrets.token_urlsafe(PASSWORD_BYTES)
                user.set_password(password)
                user.save(update_fields=["password"])
                self.stdout.write(f"  {name:<6} password {password}   (shown only now)")
            else:
                self.stdout.write(f"  {name:<6} exists (new passwords: manage.py create_demo_users --reset-passwords)")
