"""Demo users."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from workbench.models import User


def run(**options) -> dict[str, str]:
    """The passwords that the command prints, by user name."""
    output = StringIO()
    call_command("create_demo_users", stdout=output, **options)
    return dict(re.findall(r"(\w+) +password (\S+)", output.getvalue()))


@pytest.fixture
def debug(settings):
    settings.DEBUG = True


@pytest.mark.django_db
@pytest.mark.usefixtures("debug")
class TestOnOnesOwnMachine:
    def test_a_user_and_an_admin_can_log_in_with_what_was_printed(self, client):
        passwords = run()
        assert client.login(username="demo", password=passwords["demo"])
        assert client.login(username="admin", password=passwords["admin"])
        assert not User.objects.get(username="demo").is_staff
        assert User.objects.get(username="admin").is_superuser

    def test_a_second_run_changes_nothing(self, client):
        first = run()
        assert run() == {}
        assert client.login(username="demo", password=first["demo"])

    def test_passwords_can_be_made_anew(self, client):
        first = run()
        second = run(reset_passwords=True)
        assert not client.login(username="demo", password=first["demo"])
        assert client.login(username="demo", password=second["demo"])


@pytest.mark.django_db
def test_without_debug_there_are_no_demo_users():
    with pytest.raises(CommandError, match="createsuperuser"):
        run()
    assert not User.objects.exists()
