"""Clients by name: one line to register, made when first needed, with a reason when they can't be."""

import subprocess
import sys
import threading
import time

import pytest

from handlers.clients import ClientRegistry, clients
from handlers.errors import ClientUnavailable


def test_a_client_is_made_once_when_first_asked_for() -> None:
    made: list[object] = []
    registry = ClientRegistry()
    registry.register("weather", lambda: made.append(object()) or made[-1])
    assert made == []
    assert registry.get("weather") is registry.get("weather")
    assert len(made) == 1


def test_threads_that_ask_together_get_the_same_client() -> None:
    registry, got = ClientRegistry(), []
    registry.register("weather", object)
    threads = [threading.Thread(target=lambda: got.append(registry.get("weather"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, got))) == 1


@pytest.mark.parametrize(("parameter", "name"), [("weather_client", "weather"), ("weather", "weather"), ("rain", None)])
def test_a_parameter_finds_its_client(parameter: str, name: str | None) -> None:
    registry = ClientRegistry()
    registry.register("weather", object)
    assert registry.find_name(parameter) == name


def test_a_client_that_lacks_something_says_what() -> None:
    registry = ClientRegistry()
    registry.register("weather", object, missing=lambda: "WEATHER_URL isn't set.")
    assert registry.availability("weather").reason == "WEATHER_URL isn't set."
    with pytest.raises(ClientUnavailable, match="WEATHER_URL"):
        registry.get("weather")


def test_a_factory_that_failed_is_tried_again() -> None:
    down = [True]
    registry = ClientRegistry()
    registry.register("weather", lambda: 1 / 0 if down[0] else object())
    with pytest.raises(ClientUnavailable, match="ZeroDivisionError"):
        registry.get("weather")
    down[0] = False
    assert registry.get("weather")


@pytest.mark.parametrize("name", ["weather", "two words"])
def test_a_taken_or_impossible_name_is_refused(name: str) -> None:
    registry = ClientRegistry()
    registry.register("weather", object)
    with pytest.raises(ValueError, match=name):
        registry.register(name, object)


def test_the_built_in_clients_are_known() -> None:
    assert clients.names() == ["bedrock_runtime", "dynamodb", "s3", "opensearch", "openai", "metrics"]


def test_starting_up_imports_no_sdk() -> None:
    code = "import django; django.setup(); import sys; print({'boto3', 'opensearchpy'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "set()"


class Closing:
    def __init__(self) -> None:
        self.closed: list[str] = []

    def close(self) -> None:
        self.closed.append("all")

    async def close_loop(self) -> None:
        self.closed.append("loop")


def test_closing_all_closes_what_was_made_and_what_is_asked_for_then_is_new() -> None:
    registry = ClientRegistry()
    registry.register("weather", Closing)
    registry.register("unused", Closing)
    registry.register("plain", object)
    weather, _ = registry.get("weather"), registry.get("plain")
    registry.close_all()
    assert weather.closed == ["all"]
    assert registry.get("weather") is not weather


def test_one_that_fails_to_close_is_logged_and_the_others_are_closed(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        def close(self) -> None:
            raise ConnectionError("gone already")

    registry = ClientRegistry()
    registry.register("failing", Failing)
    registry.register("weather", Closing)
    registry.get("failing")
    weather = registry.get("weather")
    registry.close_all()
    assert weather.closed == ["all"]
    assert "Client failing can't be closed" in caplog.text


async def test_a_loop_that_ends_closes_what_belongs_to_it() -> None:
    registry = ClientRegistry()
    registry.register("weather", Closing)
    registry.register("unused", Closing)
    weather = registry.get("weather")
    await registry.close_loop()
    assert weather.closed == ["loop"]


async def test_health_is_asked_of_all_that_are_configured() -> None:
    class Sick:
        def check_health(self) -> None:
            raise ClientUnavailable("sick", "It has a cold.")

    class Slow:
        def check_health(self) -> None:
            time.sleep(0.5)

    registry = ClientRegistry()
    registry.register("plain", object)
    registry.register("sick", Sick)
    registry.register("slow", Slow)
    registry.register("absent", object, missing=lambda: "KEY isn't set.")
    health = await registry.check_health(patience=0.1)
    assert {name: found.reason for name, found in health.items()} == {
        "plain": None,
        "sick": "It has a cold.",
        "slow": "It didn't answer within 0.1 seconds.",
    }
