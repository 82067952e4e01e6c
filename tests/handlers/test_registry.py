"""The registry: registering, availability with reasons, fresh instances, and who may use what."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from handlers.clients import ClientRegistry
from handlers.config_store import HandlerConfig
from handlers.errors import HandlerUnavailable, UnknownHandler
from handlers.registry import TaskHandlerRegistry
from tests.handlers import samples

pytestmark = pytest.mark.django_db


@pytest.fixture
def clients() -> ClientRegistry:
    return ClientRegistry()


@pytest.fixture
def registry(clients: ClientRegistry, settings: Any) -> Iterator[TaskHandlerRegistry]:
    settings.WORKBENCH_HANDLERS = []
    settings.WORKBENCH_EXTRA_HANDLERS = []
    return TaskHandlerRegistry(clients)


def _user(name: str, **fields: Any) -> Any:
    return get_user_model().objects.create_user(name, **fields)


# --- registering


def test_a_class_is_registered_under_its_name(registry: TaskHandlerRegistry) -> None:
    entry = registry.register(samples.Greeter)
    assert (entry.name, entry.label, registry.names()) == ("greeter", "Greeter", ["greeter"])


def test_a_taken_name_is_a_value_error_that_names_both(registry: TaskHandlerRegistry) -> None:
    registry.register(samples.Greeter)
    with pytest.raises(ValueError, match=r"OtherGreeter: the name 'greeter' is taken by .*Greeter"):
        registry.register(samples.OtherGreeter)


def test_names_that_one_variable_would_mean_count_as_the_same(registry: TaskHandlerRegistry) -> None:
    registry.register(samples.Configured)
    with pytest.raises(ValueError, match="taken"):
        registry.register(type("Twin", (samples.Greeter,), {"name": "conf_igured"}))


def test_what_a_property_says_is_read_from_an_instance(registry: TaskHandlerRegistry) -> None:
    class ByProperties(samples.PropertyNamed):
        label = property(lambda self: "By properties")  # type: ignore[assignment]
        cooperative = property(lambda self: False)  # type: ignore[assignment]

    entry = registry.register(ByProperties)
    assert (entry.label, entry.cooperative) == ("By properties", False)


def test_what_is_no_handler_is_a_type_error(registry: TaskHandlerRegistry) -> None:
    with pytest.raises(TypeError, match="isn't an async generator function"):
        registry.register(samples.ReturnsText)
    assert registry.names() == []


def test_an_unknown_name_is_said(registry: TaskHandlerRegistry) -> None:
    with pytest.raises(UnknownHandler, match="no handler named “nobody”"):
        registry.build("nobody")


# --- making


def test_each_run_gets_a_handler_of_its_own(registry: TaskHandlerRegistry) -> None:
    registry.register(samples.Greeter)
    assert registry.build("greeter") is not registry.build("greeter")


def test_a_registered_instance_is_copied_for_each_run(registry: TaskHandlerRegistry) -> None:
    prototype: Any = samples.Greeter()
    prototype.shared = ["one"]
    registry.register(prototype)
    first: Any = registry.build("greeter")
    first.mine = 1
    assert first is not prototype
    assert first.shared is prototype.shared
    assert not hasattr(registry.build("greeter"), "mine")


def test_clients_are_given_by_parameter_name_and_shared(registry: TaskHandlerRegistry, clients: ClientRegistry) -> None:
    clients.register("opensearch", object)
    clients.register("dynamodb", object)
    registry.register(samples.NeedsSearch)
    first: Any = registry.build("needs_search")
    second: Any = registry.build("needs_search")
    assert first.opensearch is second.opensearch is clients.get("opensearch")
    assert first.dynamodb_client is clients.get("dynamodb")  # the base's own, through **kwargs
    assert first.bedrock is None  # optional, and no such client


def test_an_optional_client_that_is_not_configured_is_left_out(
    registry: TaskHandlerRegistry, clients: ClientRegistry
) -> None:
    clients.register("opensearch", object)
    clients.register("bedrock_runtime", object, missing=lambda: "AWS_REGION isn't set.")
    registry.register(samples.NeedsSearch)
    built: Any = registry.build("needs_search")
    assert built.bedrock is None


def test_the_config_is_given_with_its_hash(registry: TaskHandlerRegistry) -> None:
    registry.register(samples.Configured)
    before: Any = registry.build("conf-igured")
    HandlerConfig.objects.create(name="conf-igured", options={"max_items": 3})
    after: Any = registry.build("conf-igured")
    assert (before.config.max_items, after.config.max_items) == (5, 3)
    assert before.config_hash != after.config_hash
    assert registry.find_usable(_user("somebody"), "conf-igured").config_hash == after.config_hash


def test_requiring_what_is_turned_off_says_why(registry: TaskHandlerRegistry) -> None:
    registry.register(samples.Configured)
    HandlerConfig.objects.create(name="conf-igured", enabled=False)
    with pytest.raises(HandlerUnavailable, match="turned it off"):
        registry.find_usable(_user("somebody"), "conf-igured")


def test_a_build_asks_the_database_once(registry: TaskHandlerRegistry, django_assert_num_queries: Any) -> None:
    registry.register(samples.Configured)
    registry.names()
    with django_assert_num_queries(1):
        registry.build("conf-igured")


def test_the_version_is_the_handlers_own_or_its_sources(registry: TaskHandlerRegistry) -> None:
    registry.register(samples.Greeter)
    registry.register(type("Versioned", (samples.Greeter,), {"name": "versioned", "version": "2.1"}))
    assert registry.version_of("versioned") == "2.1"
    assert len(registry.version_of("greeter")) == 16


# --- availability


def test_a_handler_without_needs_is_available(registry: TaskHandlerRegistry) -> None:
    registry.register(samples.Greeter)
    availability = registry.availability("greeter")
    assert (availability.available, availability.reason) == (True, None)


@pytest.mark.parametrize(
    ("handler", "row", "reason"),
    [
        (samples.NeedsSearch, {}, "It needs opensearch_client: OPENSEARCH_URL isn't set."),
        (samples.Greeter, {"enabled": False}, "An administrator has turned it off."),
        (samples.Configured, {"options": {"max_items": 0}}, "Its configuration isn't right"),
        (samples.Configured, {"options": "text"}, "Its configuration isn't right"),
        (samples.FailsToStart, {}, "Its constructor failed (RuntimeError)"),
    ],
)
def test_an_unavailable_handler_has_a_reason_and_cannot_be_built(
    registry: TaskHandlerRegistry, clients: ClientRegistry, handler: Any, row: dict[str, Any], reason: str
) -> None:
    clients.register("opensearch", object, missing=lambda: "OPENSEARCH_URL isn't set.")
    entry = registry.register(handler)
    HandlerConfig.objects.create(name=entry.name, **row)
    availability = registry.availability(entry.name)
    assert not availability.available
    assert reason in str(availability.reason)
    assert "secret" not in str(availability.reason)
    with pytest.raises(HandlerUnavailable) as caught:
        registry.build(entry.name)
    assert caught.value.reason == availability.reason


@pytest.mark.parametrize(
    ("options", "words"),
    [({"max_items": 0}, "max_items: Input should be greater than or equal to 1"), ("text", "Must be a JSON object")],
)
def test_what_a_configs_validator_says_is_for_log_and_administrators_alone(
    registry: TaskHandlerRegistry, caplog: pytest.LogCaptureFixture, options: Any, words: str
) -> None:
    registry.register(samples.Configured)
    HandlerConfig.objects.create(name="conf-igured", options=options)
    for _ in range(3):
        availability = registry.availability("conf-igured")
    assert words not in str(availability.reason)
    assert words in availability.words
    with pytest.raises(HandlerUnavailable) as caught:
        registry.build("conf-igured")
    assert words not in caught.value.message
    assert words in caught.value.detail
    assert [words in record.getMessage() for record in caplog.records] == [True]  # once, though asked four times


def test_a_configuration_that_is_wrong_again_is_logged_again(
    registry: TaskHandlerRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    registry.register(samples.Configured)
    row = HandlerConfig.objects.create(name="conf-igured", options={"max_items": 0})
    for max_items in (0, 1, 0):
        row.options = {"max_items": max_items}
        row.save()
        registry.availability("conf-igured")
    assert len(caplog.records) == 2


def test_a_required_client_that_nobody_registered_is_named(registry: TaskHandlerRegistry) -> None:
    class Exotic(samples.Greeter):
        name = "exotic"

        def __init__(self, weather_client: Any) -> None:
            self.weather = weather_client

    registry.register(Exotic)
    assert registry.availability("exotic").reason == (
        "Its constructor requires weather_client, and no client of that name is registered."
    )


def test_a_constructor_that_works_again_makes_the_handler_available_again(registry: TaskHandlerRegistry) -> None:
    broken = [True]

    class Fickle(samples.Greeter):
        name = "fickle"

        def __init__(self) -> None:
            super().__init__()
            if broken[0]:
                raise ConnectionError

    registry.register(Fickle)
    assert not registry.availability("fickle").available
    broken[0] = False
    assert registry.availability("fickle").available


def test_a_constructor_that_fails_is_logged_once_with_its_trace(
    registry: TaskHandlerRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    registry.register(samples.FailsToStart)
    for _ in range(3):
        assert not registry.availability(samples.FailsToStart.name).available
    assert len([record for record in caplog.records if record.exc_info]) == 1


def test_availability_does_not_construct_a_working_handler_each_time(registry: TaskHandlerRegistry) -> None:
    made: list[int] = []

    class Counted(samples.Greeter):
        name = "counted"

        def __init__(self) -> None:
            super().__init__()
            made.append(1)

    registry.register(Counted)
    for _ in range(3):
        assert registry.availability("counted").available
    assert len(made) == 1


def test_a_client_whose_factory_fails_is_the_reason(registry: TaskHandlerRegistry, clients: ClientRegistry) -> None:
    clients.register("opensearch", lambda: 1 / 0)
    registry.register(samples.NeedsSearch)
    reason = str(registry.availability("needs_search").reason)
    assert reason.startswith("It needs the client opensearch: it can't be made (ZeroDivisionError)")


# --- the default, and users


def test_the_default_is_the_settings_until_an_administrator_chooses(
    registry: TaskHandlerRegistry, settings: Any
) -> None:
    registry.register(samples.Greeter)
    settings.WORKBENCH_DEFAULT_TASK = "chat"
    assert registry.default_name() == "chat"
    HandlerConfig.objects.create(name="greeter", default=True)
    assert registry.default_name() == "greeter"
    HandlerConfig.objects.filter(name="greeter").update(name="uninstalled")
    assert registry.default_name() == "chat"


def test_a_new_default_takes_the_place_of_the_old_one() -> None:
    HandlerConfig.objects.create(name="one", default=True)
    HandlerConfig.objects.create(name="two", default=True)
    assert list(HandlerConfig.objects.filter(default=True).values_list("name", flat=True)) == ["two"]


def test_a_handler_with_groups_is_for_their_members_and_superusers(registry: TaskHandlerRegistry) -> None:
    registry.register(samples.Greeter)
    registry.register(samples.PropertyNamed)
    team = Group.objects.create(name="team")
    HandlerConfig.objects.create(name="greeter").groups.add(team, Group.objects.create(name="other team"))
    member, stranger, chief = _user("member"), _user("stranger"), _user("chief", is_superuser=True)
    member.groups.add(team)
    names = {user.username: [entry.name for entry in registry.entries_for(user)] for user in (member, stranger, chief)}
    both = ["greeter", "property_named"]
    assert names == {"member": both, "stranger": ["property_named"], "chief": both}
    assert registry.find_usable(member, "greeter").name == registry.find_usable(chief, "greeter").name == "greeter"
    for name in ("greeter", "nobody"):
        with pytest.raises(UnknownHandler):
            registry.find_usable(stranger, name)


def test_a_run_gets_the_configuration_that_its_start_found(registry: TaskHandlerRegistry) -> None:
    registry.register(samples.Configured)
    row = HandlerConfig.objects.create(name="conf-igured", options={"max_items": 3})
    found = registry.find_usable(_user("somebody"), "conf-igured")
    row.options = {"max_items": 4}
    row.save()
    built: Any = registry.build_found(found)
    assert (built.config.max_items, built.config_hash) == (3, found.config_hash)


def test_a_start_asks_the_database_once_for_its_handler(
    registry: TaskHandlerRegistry, django_assert_num_queries: Any
) -> None:
    registry.register(samples.Configured)
    user = _user("somebody")
    registry.names()
    with django_assert_num_queries(1):
        registry.build_found(registry.find_usable(user, "conf-igured"))


def test_a_handler_is_described_as_the_api_shows_it(registry: TaskHandlerRegistry, settings: Any) -> None:
    settings.WORKBENCH_DEFAULT_TASK = "conf-igured"
    registry.register(samples.Configured)
    registry.register(samples.NeedsSearch)
    HandlerConfig.objects.create(name="conf-igured", label="The configured one")
    first, second = registry.describe_for(_user("somebody"))
    assert (first.label, first.available, first.reason, first.default) == ("The configured one", True, None, True)
    assert first.options_schema["properties"]["length"]["maximum"] == 1000
    assert (second.label, second.available, second.default) == ("Needs search", False, False)
    assert second.reason


def test_describing_many_handlers_takes_as_many_queries_as_describing_one(
    registry: TaskHandlerRegistry, django_assert_num_queries: Any
) -> None:
    for number in range(20):
        registry.register(type("Many", (samples.Greeter,), {"name": f"many{number}"}))
    user = _user("somebody")
    with django_assert_num_queries(3):
        assert len(registry.describe_for(user)) == 20
