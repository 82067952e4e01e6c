"""The admin's page of handlers."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from handlers.config_store import HandlerConfig
from handlers.testing import registered
from tests.handlers import samples

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.handlers.admin_urls")]
LIST = "admin:handlers_handlerconfig_changelist"


@pytest.fixture
def admin_page() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("chief", password="secret"))
    return client


def _change_url(row: HandlerConfig) -> str:
    return reverse("admin:handlers_handlerconfig_change", args=[row.pk])


def _save(page: Client, row: HandlerConfig, **fields: Any) -> Any:
    return page.post(_change_url(row), {"label": "", "options": "{}", "enabled": "on", **fields})


def test_every_handler_is_listed_with_its_availability(admin_page: Client) -> None:
    with registered(samples.NeedsSearch):
        page = admin_page.get(reverse(LIST)).content.decode()
    assert list(HandlerConfig.objects.values_list("name", flat=True)) == ["chat", "demo", "needs_search", "workflow"]
    assert "No: It needs opensearch_client: OPENSEARCH_URL isn&#x27;t set." in page


def test_a_handler_that_is_gone_is_said_to_be(admin_page: Client) -> None:
    HandlerConfig.objects.create(name="gone")
    assert "no handler of this name is installed" in admin_page.get(reverse(LIST)).content.decode()


def test_an_administrator_reads_which_option_is_wrong(admin_page: Client) -> None:
    HandlerConfig.objects.create(name="demo", options={"pace": -1})
    assert "pace: Input should be greater than or equal to 0" in admin_page.get(reverse(LIST)).content.decode()


def test_saving_changes_the_row(admin_page: Client) -> None:
    row = HandlerConfig.objects.create(name="demo")
    assert _save(admin_page, row, label="Show", default="on", options='{"pace": 2}').status_code == 302
    row.refresh_from_db()
    assert (row.label, row.default, row.options) == ("Show", True, {"pace": 2})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ('{"pace": -1}', "pace: Input should be greater than or equal to 0"),
        ('{"paec": 1}', "paec: the handler has no such option."),
        ("[1]", "Options are a JSON object"),
        ("{", "Enter a valid JSON"),
    ],
)
def test_options_that_do_not_fit_are_refused_by_name(admin_page: Client, options: str, message: str) -> None:
    row = HandlerConfig.objects.create(name="demo")
    page = _save(admin_page, row, options=options)
    assert page.status_code == 200
    assert message in page.content.decode()
    row.refresh_from_db()
    assert row.options == {}


def test_an_instances_options_cannot_be_set(admin_page: Client) -> None:
    row = HandlerConfig.objects.create(name="greeter")
    with registered(samples.Greeter()):
        assert "set in code" in _save(admin_page, row, options='{"a": 1}').content.decode()


def test_options_are_explained_without_telling_what_the_environment_holds(admin_page: Client, settings: Any) -> None:
    settings.WORKBENCH_HANDLER_OPTIONS = {"conf_igured": {"secret": "hush-hush"}}
    row = HandlerConfig.objects.create(name="conf-igured")
    with registered(samples.Configured):
        page = admin_page.get(_change_url(row)).content.decode()
    assert "<strong>max_items</strong>:  (default 5)" in page
    assert "set by WORKBENCH_HANDLER_CONF_IGURED__SECRET" in page
    assert "hush-hush" not in page


def test_staff_without_the_permission_see_nothing() -> None:
    client = Client()
    staff = get_user_model().objects.create_user("staff", is_staff=True)
    client.force_login(staff)
    assert client.get(reverse(LIST)).status_code == 403
    assert HandlerConfig.objects.count() == 0
    staff.user_permissions.add(Permission.objects.get(codename="view_handlerconfig"))
    assert client.get(reverse(LIST)).status_code == 200
