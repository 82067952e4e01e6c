"""A handler's options: which layer wins, and what is said when they don't fit."""

from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from handlers.config import effective_config, hash_of, parse_user_options, unknown_options
from handlers.errors import InvalidOptions
from tests.handlers.samples import Configured, Greeter

NAME = "conf-igured"


def _config(stored: Any = None) -> Any:
    return effective_config(Configured, NAME, stored)


def test_without_layers_the_classs_defaults_hold() -> None:
    assert _config() == Configured.Config()


def test_environment_goes_over_defaults_and_the_admin_over_both(settings: Any) -> None:
    settings.WORKBENCH_HANDLER_OPTIONS = {"conf_igured": {"max_items": "7", "endpoint": "https://env.example.org"}}
    config = _config({"max_items": 9})
    assert (config.max_items, config.endpoint, config.tags) == (9, "https://env.example.org", [])


def test_raw_text_is_read_as_json_only_where_the_field_wants_more_than_text(settings: Any) -> None:
    settings.WORKBENCH_HANDLER_OPTIONS = {"conf_igured": {"tags": '["a", "b"]', "endpoint": "[not json]"}}
    assert (_config().tags, _config().endpoint) == (["a", "b"], "[not json]")


def test_a_wrong_value_names_its_option_and_where_it_is_set(settings: Any) -> None:
    settings.WORKBENCH_HANDLER_OPTIONS = {"conf_igured": {"max_items": "many", "tags": "[1"}}
    with pytest.raises(InvalidOptions) as caught:
        _config({"endpoint": 3})
    assert "WORKBENCH_HANDLER_CONF_IGURED__MAX_ITEMS" in caught.value.fields["max_items"][0]
    assert "WORKBENCH_HANDLER_CONF_IGURED__TAGS" in caught.value.fields["tags"][0]
    assert "set in the admin" in caught.value.fields["endpoint"][0]


def test_stored_options_that_are_no_object_are_refused() -> None:
    with pytest.raises(InvalidOptions, match="JSON object"):
        _config(["max_items"])


def test_a_required_option_that_nobody_sets_says_how() -> None:
    class Demanding(Greeter):
        class Config(BaseModel):
            key: str

    with pytest.raises(InvalidOptions, match="not set; WORKBENCH_HANDLER_GREETER__KEY sets it"):
        effective_config(Demanding, "greeter")


def test_a_handler_without_config_has_none() -> None:
    assert effective_config(Greeter, "greeter") is None


def test_unknown_options_are_found_whatever_their_case() -> None:
    assert unknown_options(Configured, {"MAX_ITEMS": 1, "max_itmes": 2}) == ["max_itmes"]
    assert unknown_options(Greeter, {"any": 1}) == ["any"]


def test_the_hash_changes_with_the_values_and_not_with_secrets() -> None:
    plain = Configured.Config()
    assert hash_of(plain) == hash_of(Configured.Config())
    assert hash_of(plain) != hash_of(Configured.Config(max_items=6))
    assert hash_of(Configured.Config(secret=SecretStr("a"))) == hash_of(Configured.Config(secret=SecretStr("b")))


def test_a_users_options_are_typed() -> None:
    options: Any = parse_user_options(Configured, {"length": "20"})
    assert options.length == 20


@pytest.mark.parametrize(
    ("raw", "field", "message"),
    [
        ({"length": 2000}, "length", "less than or equal to 1000"),
        ({"length": 3}, "length", "must be even"),
        ({"lenght": 10}, "lenght", "no such option"),
    ],
)
def test_a_users_wrong_option_is_named(raw: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(InvalidOptions) as caught:
        parse_user_options(Configured, raw)
    assert list(caught.value.fields) == [field]
    assert message in caught.value.fields[field][0]


def test_a_handler_without_user_options_takes_none() -> None:
    assert parse_user_options(Greeter, None) is None
    with pytest.raises(InvalidOptions, match="no such option"):
        parse_user_options(Greeter, {"length": 1})
