"""Makes the database of a browser test's site: tables, readers and an admin. A program; DATABASE_URL says where."""

import os

import django

PASSWORD = "correct horse"
READERS = [f"reader{number}" for number in range(40)]
ADMIN = "auditor"


def make() -> None:
    from django.contrib.auth.hashers import make_password
    from django.core.management import call_command

    from workbench.models import User

    call_command("migrate", verbosity=0)
    password = make_password(PASSWORD)
    User.objects.bulk_create([User(username=name, password=password) for name in READERS])
    User.objects.create(username=ADMIN, password=password, is_staff=True, is_superuser=True)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "workbench.settings"
    django.setup()
    make()
