"""Fixtures and rules for all tests."""

import os
import shutil

import pytest

SERVICES = {
    "postgres": ("a PostgreSQL server", lambda: os.environ.get("WORKBENCH_TEST_POSTGRES_URL", "")),
    "redis": ("a Redis server", lambda: os.environ.get("WORKBENCH_TEST_REDIS_URL", "")),
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
