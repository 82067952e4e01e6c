"""A driven site: a database of its own, its people, and the servers on it."""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.faults.accounts import PASSWORD
from tests.faults.handlers import EXTRA_HANDLERS
from tests.faults.log import Database, SqliteFile
from tests.faults.people import Answer, Person, until
from tests.faults.servers import SERVE, Server
from tests.processes import ROOT
from tests.workbench.conftest import bare_environment

__all__ = ["Site", "environment_for", "make_template", "migrate_with_people"]

SECRET_KEY = "for-driven-sites-only-" * 4


class Site:
    """A copy of `template` (see make_template) in `folder`. `close` ends its servers."""

    def __init__(self, template: Path, folder: Path) -> None:
        shutil.copy(template / "site.sqlite3", folder / "site.sqlite3")
        self.database = SqliteFile(folder / "site.sqlite3")
        self.people: list[dict[str, str]] = json.loads((template / "people.json").read_text())
        self.password = PASSWORD
        self._servers: list[Server] = []

    async def serve(self, command: tuple[str, ...] = SERVE, **variables: str) -> Server:
        """One more server on this database."""
        environment = environment_for(self.database, **variables)
        server = await asyncio.to_thread(Server, environment, command)
        self._servers.append(server)
        return server

    def person(self, number: int, server: Server) -> Person:
        return Person(server.socket_address, token=self.people[number]["token"])

    async def all_ended(self, patience: float) -> None:
        """Waits until no run is unfinished; TimeoutError after `patience` seconds."""
        await until(lambda: self.database.unfinished() == 0, patience)

    def check(self, answer: Answer, *, whole: bool = True) -> None:
        """Fails unless a client's transcript is the log, byte for byte, and the log is sound."""
        answer.check(self.database.response(answer.response_id), whole=whole)

    def close(self) -> None:
        for server in self._servers:
            server.kill()


def environment_for(database: Database, **variables: str) -> dict[str, str]:
    defaults = {
        "DATABASE_URL": database.url,
        "SECRET_KEY": SECRET_KEY,
        "WORKBENCH_EXTRA_HANDLERS": EXTRA_HANDLERS,
        "WORKBENCH_RATE_LIMITS": "off",
        "WORKBENCH_LOG_LEVEL": "INFO",
        "DJANGO_SETTINGS_MODULE": "workbench.settings",
    }
    return bare_environment(**(defaults | variables))


def make_template(folder: Path, people: int) -> Path:
    """A migrated database with `people` users, in `folder`, to make sites from."""
    database = SqliteFile(folder / "site.sqlite3")
    environment = environment_for(database)
    (folder / "people.json").write_text(migrate_with_people(environment, people))
    return folder


def migrate_with_people(environment: dict[str, str], people: int) -> str:
    """Makes the tables and `people` users; gives the users as JSON, as accounts.py prints them."""
    _run(environment, "manage.py", "migrate", "--verbosity=0")
    return _run(environment, "-m", "tests.faults.accounts", str(people))


def _run(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
