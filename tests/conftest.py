"""Fixtures and rules for all tests."""

import os
import shutil
from collections.abc import Iterator

import pytest
from asgiref.sync import SyncToAsync
from django.db import connections
from hypothesis import settings

from chats.engine import Engine, get_engine
from handlers.base import BaseTaskHandler
from handlers.registry import registry

settings.register_profile("thorough", max_examples=1000, deadline=None)  # pytest --hypothesis-profile=thorough

SERVICES = {
    "postgres": ("a PostgreSQL server", lambda: os.environ.get("WORKBENCH_TEST_POSTGRES_URL", "")),
    "redis": ("a Redis server", lambda: os.environ.get("WORKBENCH_TEST_REDIS_URL", "")),
    "node": ("Node.js", lambda: shutil.which("node") or ""),
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
