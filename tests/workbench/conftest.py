"""Databases and environments for server processes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import ROOT, ServerProcess
from workbench.environment import Environment


def bare_environment(**variables: str) -> dict[str, str]:
    """This process's environment without what the tests' settings put in, and with `variables`."""
    own = {name.upper() for name in Environment.model_fields} | {"DJANGO_SETTINGS_MODULE"}
    return {name: value for name, value in os.environ.items() if name not in own} | variables


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory) -> Path:
    """A SQLite database with all tables and nothing in them. To copy, not to use."""
    path = tmp_path_factory.mktemp("database") / "empty.sqlite3"
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        cwd=ROOT,
        env=bare_environment(DEBUG="on", DATABASE_URL=f"sqlite:///{path}"),
        check=True,
    )
    return path


@pytest.fixture
def site(migrated_file, tmp_path) -> dict[str, str]:
    """The environment of a site of this test's own: a SQLite file, and a key."""
    database = shutil.copy(migrated_file, tmp_path / "site.sqlite3")
    return bare_environment(DATABASE_URL=f"sqlite:///{database}", SECRET_KEY="for-this-test-only-" * 4)


@pytest.fixture
def serve(site) -> Iterator[object]:
    """Starts `manage.py serve` (or another server, by its command) on a free port; ended with the test."""
    processes: list[ServerProcess] = []

    def start(*command: str, **variables: str) -> ServerProcess:
        command = command or ("manage.py", "serve", "--port", "0")
        processes.append(ServerProcess(*command, environment=site | variables))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()


FRONT = "https://front.example"


@dataclass(frozen=True)
class ApiServer:
    """A running site with one user, `ada`, that lets the front end FRONT in."""

    server: ServerProcess
    site: dict[str, str]
    python: str = sys.executable

    def manage(self, *arguments: str) -> str:
        """What a command of manage.py prints."""
        return _manage(self.site, *arguments)


@pytest.fixture(scope="module")
def api_server(migrated_file, tmp_path_factory) -> Iterator[ApiServer]:
    """One for all tests of a module."""
    database = shutil.copy(migrated_file, tmp_path_factory.mktemp("api") / "site.sqlite3")
    key = "for-this-test-only-" * 4
    files = str(Path(database).parent / "media")
    site = bare_environment(
        DATABASE_URL=f"sqlite:///{database}", SECRET_KEY=key, WORKBENCH_ALLOWED_ORIGINS=FRONT, MEDIA_ROOT=files
    )
    names = ["createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org"]
    _manage(site | {"DJANGO_SUPERUSER_PASSWORD": "a"}, *names)
    server = ServerProcess("manage.py", "serve", "--port", "0", environment=site)
    yield ApiServer(server, site)
    server.kill()


def _manage(site: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=site, check=True, capture_output=True, text=True)
    return done.stdout.strip()
