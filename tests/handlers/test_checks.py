"""System checks: each misconfiguration has an id, says where it is, and hints at the remedy."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import checks
from django.core.checks.registry import registry as all_checks
from django.core.management import call_command

from handlers.config_store import HandlerConfig
from handlers.registry import registry

SAMPLES = "tests.handlers.samples"


@pytest.fixture(autouse=True)
def _fresh_registry(settings: Any) -> Iterator[None]:
    registry.reset()
    yield
    registry.reset()


def _found(databases: list[str] | None = None) -> dict[str, checks.CheckMessage]:
    """What this app's registered checks say, by id."""
    registered = [check for check in all_checks.get_checks() if check.__module__ == "handlers.checks"]
    messages = [message for check in registered for message in check(app_configs=None, databases=databases)]
    return {str(message.id): message for message in messages}


@pytest.mark.parametrize(
    ("name", "value", "check_id", "said"),
    [
        (
            "WORKBENCH_EXTRA_HANDLERS",
            ["no.such.Handler"],
            "handlers.E001",
            "Handler no.such.Handler, named by WORKBENCH_",
        ),
        ("WORKBENCH_EXTRA_HANDLERS", [f"{SAMPLES}.ReturnsText"], "handlers.E002", "isn't an async generator function"),
        ("WORKBENCH_EXTRA_HANDLERS", [f"{SAMPLES}.Nameless"], "handlers.E002", "lacks name"),
        (
            "WORKBENCH_EXTRA_HANDLERS",
            [f"{SAMPLES}.Greeter", f"{SAMPLES}.OtherGreeter"],
            "handlers.E003",
            "the name 'greeter' is taken",
        ),
        ("WORKBENCH_DEFAULT_TASK", "nobody", "handlers.E004", "no handler named 'nobody'"),
        ("WORKBENCH_EXTRA_HANDLERS", [f"{SAMPLES}.NeedsSearch"], "handlers.W001", "OPENSEARCH_URL isn't set"),
        ("WORKBENCH_EXTRA_HANDLERS", [f"{SAMPLES}.FailsToStart"], "handlers.W001", "Its constructor failed"),
        ("WORKBENCH_HANDLER_OPTIONS", {"demo": {"pace": "-1"}}, "handlers.W001", "WORKBENCH_HANDLER_DEMO__PACE"),
        (
            "WORKBENCH_HANDLER_OPTIONS",
            {"demo": {"paec": "1"}},
            "handlers.W002",
            "WORKBENCH_HANDLER_DEMO__PAEC is without",
        ),
        ("WORKBENCH_HANDLER_OPTIONS", {"demon": {"pace": "1"}}, "handlers.W002", "no handler named 'demon'"),
        ("WORKBENCH_PRICES_FILE", __file__, "handlers.E005", "test_checks.py"),
        ("WORKBENCH_DEFAULT_MODEL", "gpt", "handlers.W003", "no provider has a model 'gpt'"),
    ],
)
def test_a_misconfiguration_is_found(settings: Any, name: str, value: Any, check_id: str, said: str) -> None:
    setattr(settings, name, value)
    found = _found()
    assert set(found) == {check_id}
    assert said in found[check_id].msg
    assert found[check_id].hint


def test_the_default_configuration_has_nothing_to_say() -> None:
    assert _found() == {}


@pytest.mark.django_db
def test_what_an_administrator_stored_is_checked_with_the_database() -> None:
    HandlerConfig.objects.create(name="demo", options={"pace": -1})
    assert _found() == {}
    assert "set in the admin" in _found(["default"])["handlers.W001"].msg


@pytest.mark.django_db
def test_a_handler_that_is_turned_off_is_no_finding() -> None:
    HandlerConfig.objects.create(name="demo", enabled=False)
    assert _found(["default"]) == {}


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "handlers", check=True, dry_run=True, verbosity=0, skip_checks=True)
