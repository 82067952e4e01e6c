"""The benchmark's own PostgreSQL and Redis, where they are installed and where they aren't."""

import pytest

from tests.benchmarks import databases
from tests.benchmarks.databases import Services
from tests.benchmarks.figures import NotMeasuredError


def test_what_is_not_installed_is_named(monkeypatch) -> None:
    monkeypatch.setattr(databases, "missing_programs", lambda: ["PostgreSQL", "Redis"])
    services = Services()
    with pytest.raises(NotMeasuredError, match="PostgreSQL isn't installed"):
        _ = services.postgres
    with pytest.raises(NotMeasuredError, match="Redis isn't installed"):
        _ = services.redis
