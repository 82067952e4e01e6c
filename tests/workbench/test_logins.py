"""Failed logins are bounded, on the site's page and the admin's."""

from uuid import uuid4

import pytest

from chats import limits
from tests.chats.live import make_user

RIGHT = "correct horse"


@pytest.fixture
def login(client, db, settings):
    """`login(password)` tries at the page, as one user from one address; what is counted outlives a test."""
    settings.WORKBENCH_MAX_FAILED_LOGINS = 2
    name, address = f"ada-{uuid4()}", "203.0.113.1"
    make_user(name, is_staff=True)

    def attempt(password, *, page="/login/", **fields):
        posted = {"username": name, "password": password}
        return client.post(page, posted, **({"REMOTE_ADDR": address} | fields))

    yield attempt
    limits.forget_failed_logins(name, address)


def test_after_so_many_failed_tries_even_the_right_password_has_to_wait(login):
    assert [login("wrong").status_code for _ in range(2)] == [200, 200]
    refused = login(RIGHT)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert "Too many failed tries with this user name." in refused.content.decode()


def test_a_login_forgets_the_failures_before_it(login):
    for _ in range(3):
        login("wrong")
        assert login(RIGHT).status_code == 302


def test_who_comes_from_elsewhere_isnt_locked_out(login):
    for _ in range(3):
        login("wrong")
    assert login(RIGHT, REMOTE_ADDR="198.51.100.7").status_code == 302


def test_the_admins_page_is_no_way_round(login):
    for _ in range(2):
        login("wrong", page="/admin/login/")
    response = login(RIGHT, page="/admin/login/")
    assert "Too many failed tries with this user name." in response.content.decode()
    assert login(RIGHT).status_code == 429


def test_a_wrong_password_is_told_as_ever(login):
    assert "Too many" not in login("wrong").content.decode()


def test_a_try_without_a_password_forgets_no_failures(login):
    for _ in range(2):
        login("wrong")
        assert login("").status_code == 200
    assert login(RIGHT).status_code == 429
