"""Handlers named in settings, environment and entry points."""

import threading
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from handlers import loading
from handlers.registry import TaskHandlerRegistry

SAMPLES = "tests.handlers.samples"


@pytest.fixture
def registry(settings: Any) -> TaskHandlerRegistry:
    settings.WORKBENCH_HANDLERS = []
    settings.WORKBENCH_EXTRA_HANDLERS = []
    return TaskHandlerRegistry()


def test_settings_and_environment_add_up(registry: TaskHandlerRegistry, settings: Any) -> None:
    settings.WORKBENCH_HANDLERS = [f"{SAMPLES}.Greeter"]
    settings.WORKBENCH_EXTRA_HANDLERS = [f"{SAMPLES}.Configured"]
    assert registry.names() == ["greeter", "conf-igured"]
    assert registry.get("conf-igured").source == "WORKBENCH_EXTRA_HANDLERS"


def test_an_entry_point_adds_a_handler(registry: TaskHandlerRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("greeter", f"{SAMPLES}:Greeter", loading.ENTRY_POINT_GROUP)
    monkeypatch.setattr(loading, "entry_points", lambda group: [point] if group == "workbench.handlers" else [])
    assert registry.names() == ["greeter"]
    assert registry.get("greeter").source == "entry point greeter"


@pytest.mark.parametrize(
    ("path", "kind", "error"),
    [
        ("no.such.module.Handler", "import", "ModuleNotFoundError"),
        (f"{SAMPLES}.Missing", "import", "Missing"),
        ("nonsense", "import", "ImportError"),
        (f"{SAMPLES}.NOT_A_HANDLER", "type", "isn't a subclass"),
        (f"{SAMPLES}.Nameless", "type", "lacks name"),
        (f"{SAMPLES}.ReturnsText", "type", "isn't an async generator"),
        (f"{SAMPLES}.OtherGreeter", "name", "taken by"),
        ("tests.handlers.broken_module.Handler", "import", "ZeroDivisionError"),
    ],
)
def test_an_entry_that_cannot_be_used_is_a_problem_and_the_others_stay(
    registry: TaskHandlerRegistry, settings: Any, path: str, kind: str, error: str
) -> None:
    settings.WORKBENCH_HANDLERS = [f"{SAMPLES}.Greeter", path, f"{SAMPLES}.Configured"]
    (problem,) = registry.load()
    assert (problem.source, problem.path, problem.kind) == ("WORKBENCH_HANDLERS", path, kind)
    assert error in problem.error
    assert registry.names() == ["greeter", "conf-igured"]


def test_a_class_that_is_named_twice_is_registered_once(registry: TaskHandlerRegistry, settings: Any) -> None:
    settings.WORKBENCH_HANDLERS = settings.WORKBENCH_EXTRA_HANDLERS = [f"{SAMPLES}.Greeter"]
    assert registry.load() == []


def test_loading_happens_once_however_many_threads_ask(
    registry: TaskHandlerRegistry, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WORKBENCH_HANDLERS = [f"{SAMPLES}.Greeter"]
    imported: list[str] = []
    plain = loading.import_string

    def counted(path: str) -> Any:
        imported.append(path)
        return plain(path)

    monkeypatch.setattr(loading, "import_string", counted)
    seen: list[list[str]] = []
    threads = [threading.Thread(target=lambda: seen.append(registry.names())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [["greeter"]] * 8
    assert len(imported) == 1


def test_reset_forgets_and_loads_again(registry: TaskHandlerRegistry, settings: Any) -> None:
    assert registry.names() == []
    settings.WORKBENCH_HANDLERS = [f"{SAMPLES}.Greeter"]
    registry.reset()
    assert registry.names() == ["greeter"]


def test_an_unavailable_handler_is_logged_when_loaded(
    registry: TaskHandlerRegistry, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.WORKBENCH_HANDLERS = [f"{SAMPLES}.NeedsSearch"]
    registry.load()
    assert "Handler needs_search isn't available: Its constructor requires opensearch_client" in caplog.text
