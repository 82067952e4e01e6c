"""Handlers and models, as this user may use them."""

from django.contrib.auth.models import Group

from handlers.models import HandlerConfig
from tests.chats.api.makers import JSONClient


def test_handlers_are_described(client_of_owner: JSONClient) -> None:
    page = client_of_owner.get_json("/handlers/")
    demo = next(handler for handler in page["results"] if handler["name"] == "demo")
    assert set(demo) == {
        "name", "label", "description", "available", "reason", "default", "models", "options_schema",
    }  # fmt: skip
    assert (demo["available"], demo["reason"], page["next"], page["previous"]) == (True, None, None, None)


def test_a_handler_that_is_off_says_so(client_of_owner: JSONClient) -> None:
    HandlerConfig.objects.create(name="demo", enabled=False)
    [demo] = [each for each in client_of_owner.get_json("/handlers/")["results"] if each["name"] == "demo"]
    assert not demo["available"]
    assert demo["reason"]


def test_a_handler_that_is_badly_configured_says_so_without_its_validators_words(client_of_owner: JSONClient) -> None:
    HandlerConfig.objects.create(name="demo", options={"pace": -1})
    [demo] = [each for each in client_of_owner.get_json("/handlers/")["results"] if each["name"] == "demo"]
    assert not demo["available"]
    assert demo["reason"].startswith("Its configuration isn't right")


def test_another_groups_handler_isnt_listed(client_of_owner: JSONClient) -> None:
    HandlerConfig.objects.create(name="demo").groups.add(Group.objects.create(name="few"))
    assert "demo" not in [each["name"] for each in client_of_owner.get_json("/handlers/")["results"]]


def test_the_offline_model_is_there_without_any_key(client_of_owner: JSONClient) -> None:
    [offline] = [each for each in client_of_owner.get_json("/models/")["results"] if each["id"] == "offline"]
    assert set(offline) == {"id", "label", "provider", "available", "reason", "accepts", "context_tokens", "tools"}
    assert (offline["available"], offline["accepts"]) == (True, ["text"])
