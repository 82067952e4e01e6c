"""The stage that scenarios play on: databases, accounts and servers, each made when first asked for."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from statistics import median

from tests.benchmarks.databases import Databases, PostgresDatabases, Services, SqliteFiles
from tests.benchmarks.load import Load
from tests.benchmarks.rivals import run_as_rival
from tests.benchmarks.rounds import COOPERATIVE, play
from tests.benchmarks.servers import (
    CLIENT_CORE,
    Server,
    clean_environment,
    daphne,
    free_port,
    manage,
    product_environment,
    running,
)

WARM_UP = Load(deltas=200, per_second=100)


class Stage:
    """Keeps databases under `folder` and the servers' logs under `logs`; `close` stops what it started.

    `rounds` is how often a scenario repeats what it takes medians of.
    """

    def __init__(self, folder: Path, logs: Path, *, quick: bool = False, databases: Databases | None = None) -> None:
        self.folder = folder
        self._logs = logs
        self.quick = quick
        self.rounds = 1 if quick else 3
        self.databases = databases or SqliteFiles(folder)
        self._started = ExitStack()
        self._numbers = count(1)

    def close(self) -> None:
        self._started.close()

    def seconds(self, full: float) -> float:
        """How long a measurement lasts: a third with --quick."""
        return full / 3 if self.quick else full

    @cached_property
    def services(self) -> Services:
        """PostgreSQL and Redis of this run."""
        return self._started.enter_context(closing(Services()))

    @cached_property
    def on_postgres(self) -> "Stage":
        """The same with PostgreSQL. Raises NotMeasuredError when it's first used, where that isn't installed."""
        databases = PostgresDatabases(self.services)
        return self._started.enter_context(
            closing(Stage(self.folder, self._logs, quick=self.quick, databases=databases))
        )

    @cached_property
    def product(self) -> Server:
        """`manage.py serve` on its own fresh database, warmed up."""
        return self._started.enter_context(self.fresh_product())

    @cached_property
    def bare(self) -> Server:
        return self._started.enter_context(self.fresh_bare())

    @cached_property
    def orm_insert(self) -> Server:
        return self._started.enter_context(
            self.baseline("orm_insert", BENCHMARK_DATABASE=str(self.folder / "orm_insert.sqlite3"))
        )

    @property
    def tokens(self) -> list[str]:
        """One user's token each, good on every product server of this stage: their databases are copies of one."""
        return self.databases.tokens

    @cached_property
    def frame_bytes(self) -> dict[bool, int]:
        """The size of the product's frame of one delta, unstamped and stamped: what baselines must send."""
        return {stamped: self._frame_bytes(stamped=stamped) for stamped in (False, True)}

    @contextmanager
    def fresh_product(self, **variables: str) -> Iterator[Server]:
        """Another product server, on a copy of the database with the accounts, stopped at the end.

        `variables` are added to its environment; a DATABASE_URL among them is used instead of a copy.
        """
        name = self._name("product")
        database_url = variables.pop("DATABASE_URL", None) or self.databases.copy(name)
        port = free_port()
        command = manage("serve", "--host", "127.0.0.1", "--port", str(port))
        environment = product_environment(database_url, **variables)
        with running(command, port, environment, self._logs / f"{name}.log", "/readyz") as server:
            play(server, self.tokens[:20], COOPERATIVE, WARM_UP)
            yield server

    @contextmanager
    def fresh_bare(self) -> Iterator[Server]:
        with self.baseline("bare") as server:
            yield server

    @contextmanager
    def standin(self, name: str) -> Iterator[Server]:
        """The stand-in for a model's server of this name (tests/standins), on the client's core: it isn't measured."""
        port = free_port()
        command = [sys.executable, "-m", f"tests.standins.{name}", "--port", str(port)]
        log = self._logs / f"{self._name(name)}.log"
        with running(command, port, clean_environment(), log, "/_log", core=CLIENT_CORE) as server:
            yield server

    @contextmanager
    def baseline(self, name: str, **variables: str) -> Iterator[Server]:
        """The server of `apps` of this name, on daphne, warmed up."""
        port, log = free_port(), self._logs / f"{self._name(name)}.log"
        command = daphne(f"tests.benchmarks.apps.{name}:application", port)
        with running(command, port, clean_environment(**variables), log) as server:
            play(server, self.tokens[:20], COOPERATIVE, WARM_UP)
            yield server

    @contextmanager
    def rival(self, name: str, *module: str, **variables: str) -> Iterator[Server]:
        """Another product, `python -m module … --port N` of the environment that has them. Raises NotMeasuredError."""
        port, log = free_port(), self._logs / f"{self._name(name)}.log"
        command = [*run_as_rival(module[0]), *module[1:], "--host", "127.0.0.1", "--port", str(port)]
        with running(command, port, clean_environment(**variables), log) as server:
            yield server

    def _name(self, kind: str) -> str:
        return f"{kind}-{self.databases.name.lower()}-{next(self._numbers)}"

    def _frame_bytes(self, *, stamped: bool) -> int:
        load = Load(deltas=20, per_second=20, stamped=stamped)
        answer = play(self.product, self.tokens[:1], COOPERATIVE, load).answers[0]
        return int(median(answer.content_frame_bytes))
