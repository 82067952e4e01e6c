"""Fixtures and rules for all tests."""

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.commands import flush
from django.db import connections
from django.utils import translation
from hypothesis import settings
from pytest_django.plugin import DjangoDbBlocker

from chats.engine import Engine, get_engine
from handlers.base import BaseTaskHandler
from handlers.registry import registry
from workbench.npm import missing_libraries

settings.register_profile("thorough", max_examples=1000, deadline=None)  # pytest --hypothesis-profile=thorough

TESTS = Path(__file__).parent
SERVICES = {
    "postgres": ("a PostgreSQL server", lambda: os.environ.get("WORKBENCH_TEST_POSTGRES_URL", "")),
    "redis": ("a Redis server", lambda: os.environ.get("WORKBENCH_TEST_REDIS_URL", "")),
    "node": ("Node.js", lambda: shutil.which("node") or ""),
    "npm": ("the page's libraries (deploy/npm/install)", lambda: "" if missing_libraries() else "there"),
    "browser": ("Chromium", lambda: os.environ.get("CHROME") or shutil.which("chromium") or ""),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test of a service that isn't there is a named skip on a developer's machine, and a failure in CI."""
    for marker, (what, find) in SERVICES.items():
        if item.get_closest_marker(marker) and not find():
            reason = f"needs {what}; see README.md, Tests"
            if os.environ.get("CI") == "true":
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)


SLOW = ("multi_process", "browser", "faults", "workbench", "contract")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The folders with the longest files first: side by side, no process is left alone with one at the end."""
    last = len(SLOW)
    folders = {folder: at for at, folder in enumerate(SLOW)}
    items.sort(key=lambda item: folders.get(item.path.relative_to(TESTS).parts[0], last))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """After each test that commits, the flush has content types and permissions made anew, which takes longer than most
    of these tests: they are put back as they were instead."""
    with django_db_blocker.unblock():
        kept: list[list[Any]] = [list(model._default_manager.all()) for model in (ContentType, Permission)]

    def put_back(*_args: Any, **_options: Any) -> None:
        for rows in kept:
            type(rows[0])._default_manager.bulk_create(rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "emit_post_migrate_signal", put_back)
        yield


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """A request leaves its language behind in the thread that it was made in."""
    yield
    translation.deactivate()


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """What tests say of lone surrogates can't be sent to pytest-xdist's first process as it is."""
    return _encodable((yield))


def _encodable(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_encodable(key): _encodable(each) for key, each in value.items()}
        case list() | tuple():
            return type(value)(_encodable(each) for each in value)
    return value


@pytest.fixture
def engine(transactional_db: None) -> Iterator[Engine]:
    """The process's engine, running, on a database whose changes other threads see."""
    engine = get_engine()
    engine.start()
    yield engine
    engine.stop()
    # What an async test asked the ORM itself, asgiref asked in this thread; PostgreSQL drops no database in use.
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture
def register() -> Iterator[object]:
    """`register(HandlerClass)` adds handlers for one test."""
    names: list[str] = []

    def add(handler: type[BaseTaskHandler]) -> str:
        names.append(registry.register(handler).name)
        return names[-1]

    yield add
    for name in names:
        registry.unregister(name)
