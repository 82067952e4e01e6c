"""The databases that product servers get: each its own copy of one that was migrated and has accounts.

Knows SQLite's files and a PostgreSQL cluster of the benchmark's own (tests/services.py), and no server.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeVar

import psycopg

from tests.benchmarks.figures import NotMeasuredError
from tests.benchmarks.servers import CLIENT_CORE, PROJECT, ServerError, manage, on_core, product_environment
from tests.services import Postgres, Redis, missing_programs, postgres_url

__all__ = ["ACCOUNTS", "Databases", "PostgresDatabases", "Services", "SqliteFiles", "output_of"]

ACCOUNTS = 500
Service = TypeVar("Service", Postgres, Redis)
# The defaults but for memory: each commit is on the disk before it's told of.
DURABLE = ("shared_buffers=256MB",)


class Databases(Protocol):
    """Copies of one prepared database. `name` tells it from others in titles and logs."""

    name: str

    @property
    def tokens(self) -> list[str]:
        """One user's token each, good on every copy."""

    def copy(self, name: str) -> str:
        """Makes a copy; gives its URL."""


class SqliteFiles:
    """Files in `folder`."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def tokens(self) -> list[str]:
        return self._prepared[1]

    def copy(self, name: str) -> str:
        database = self._folder / f"{name}.sqlite3"
        shutil.copyfile(self._prepared[0], database)
        return f"sqlite:///{database}"

    @cached_property
    def _prepared(self) -> tuple[Path, list[str]]:
        database = self._folder / "migrated.sqlite3"
        return database, _prepare(f"sqlite:///{database}")


class Services:
    """PostgreSQL and Redis on the client's core, each started when it's first asked for."""

    def __init__(self) -> None:
        self._started = ExitStack()

    def close(self) -> None:
        self._started.close()

    @cached_property
    def postgres(self) -> Postgres:
        """Raises NotMeasuredError."""
        return self._start("PostgreSQL", lambda folder: Postgres(folder, DURABLE))

    @cached_property
    def redis(self) -> Redis:
        """Raises NotMeasuredError."""
        return self._start("Redis", Redis)

    def _start(self, name: str, make: Callable[[Path], Service]) -> Service:
        if name in missing_programs():
            raise NotMeasuredError(f"{name} isn't installed")
        # On a disk, like the other databases, and where PostgreSQL's own user may pass through.
        folder = Path(self._started.enter_context(tempfile.TemporaryDirectory(prefix="stage-", dir="/var/tmp")))
        folder.chmod(0o711)
        with on_core(CLIENT_CORE):
            service = make(folder)
            service.start()
        self._started.callback(service.stop)
        return service


class PostgresDatabases:
    """Databases of the services' cluster."""

    name = "PostgreSQL"

    def __init__(self, services: Services) -> None:
        self._services = services

    @property
    def tokens(self) -> list[str]:
        return self._prepared[1]

    def copy(self, name: str) -> str:
        template, _ = self._prepared
        return self._create(name.replace("-", "_"), template)

    @cached_property
    def _prepared(self) -> tuple[str, list[str]]:
        return "migrated", _prepare(self._create("migrated", "template1"))

    def _create(self, name: str, template: str) -> str:
        port = self._services.postgres.port
        with psycopg.connect(postgres_url(port), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return postgres_url(port, name)


def _prepare(database_url: str) -> list[str]:
    """Makes the tables and the accounts; gives the accounts' tokens."""
    environment = product_environment(database_url, DJANGO_SETTINGS_MODULE="workbench.settings")
    output_of(manage("migrate", "-v", "0"), environment)
    return output_of([sys.executable, "-m", "tests.benchmarks.accounts", str(ACCOUNTS)], environment).split()


def output_of(command: list[str], environment: dict[str, str]) -> str:
    """What a command printed; raises ServerError with its complaint when it fails."""
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerError(f"{' '.join(command[1:])} failed:\n{done.stderr[-3000:]}")
    return done.stdout
