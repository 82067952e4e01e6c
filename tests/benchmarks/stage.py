"""The stage that scenarios play on: databases, accounts and servers, each made when first asked for."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from statistics import median

from tests.benchmarks.load import Load
from tests.benchmarks.rounds import COOPERATIVE, play
from tests.benchmarks.servers import (
    CLIENT_CORE,
    PROJECT,
    Server,
    ServerError,
    clean_environment,
    daphne,
    free_port,
    manage,
    product_environment,
    running,
)

ACCOUNTS = 500
WARM_UP = Load(deltas=200, per_second=100)


class Stage:
    """Keeps databases under `folder` and the servers' logs under `logs`; `close` stops what it started.

    `rounds` is how often a scenario repeats what it takes medians of.
    """

    def __init__(self, folder: Path, logs: Path, *, quick: bool = False) -> None:
        self._folder = folder
        self._logs = logs
        self.quick = quick
        self.rounds = 1 if quick else 3
        self._started = ExitStack()
        self._numbers = count(1)

    def close(self) -> None:
        self._started.close()

    def seconds(self, full: float) -> float:
        """How long a measurement lasts: a third with --quick."""
        return full / 3 if self.quick else full

    @cached_property
    def product(self) -> Server:
        """`manage.py serve` on its own fresh database, warmed up."""
        return self._started.enter_context(self.fresh_product())

    @cached_property
    def bare(self) -> Server:
        return self._started.enter_context(self.fresh_bare())

    @cached_property
    def orm_insert(self) -> Server:
        database = self._folder / "orm_insert.sqlite3"
        environment = clean_environment(BENCHMARK_DATABASE=str(database))
        return self._started.enter_context(self._baseline("orm_insert", environment))

    @property
    def tokens(self) -> list[str]:
        """One user's token each, good on every product server of this stage: they start from one migrated file."""
        return self._prepared[1]

    @cached_property
    def frame_bytes(self) -> dict[bool, int]:
        """The size of the product's frame of one delta, unstamped and stamped: what baselines must send."""
        return {stamped: self._frame_bytes(stamped=stamped) for stamped in (False, True)}

    @contextmanager
    def fresh_product(self, **variables: str) -> Iterator[Server]:
        """Another product server, on a copy of the database with the accounts, stopped at the end.

        `variables` are added to its environment.
        """
        name = f"product-{next(self._numbers)}"
        database = self._folder / f"{name}.sqlite3"
        shutil.copyfile(self._prepared[0], database)
        port = free_port()
        command = manage("serve", "--host", "127.0.0.1", "--port", str(port))
        environment = product_environment(database, **variables)
        with running(command, port, environment, self._logs / f"{name}.log", "/readyz") as server:
            play(server, self.tokens[:20], COOPERATIVE, WARM_UP)
            yield server

    @contextmanager
    def fresh_bare(self) -> Iterator[Server]:
        with self._baseline(f"bare-{next(self._numbers)}", clean_environment()) as server:
            yield server

    @contextmanager
    def standin(self, name: str) -> Iterator[Server]:
        """The stand-in for a model's server of this name (tests/standins), on the client's core: it isn't measured."""
        port = free_port()
        command = [sys.executable, "-m", f"tests.standins.{name}", "--port", str(port)]
        log = self._logs / f"{name}-{next(self._numbers)}.log"
        with running(command, port, clean_environment(), log, "/_log", core=CLIENT_CORE) as server:
            yield server

    @contextmanager
    def _baseline(self, name: str, environment: dict[str, str]) -> Iterator[Server]:
        application = f"tests.benchmarks.apps.{name.partition('-')[0]}:application"
        port = free_port()
        command = daphne(application, port)
        with running(command, port, environment, self._logs / f"{name}.log") as server:
            play(server, self.tokens[:20], COOPERATIVE, WARM_UP)
            yield server

    @cached_property
    def _prepared(self) -> tuple[Path, list[str]]:
        """The migrated database that every product server gets a copy of, and the tokens of its accounts."""
        database = self._folder / "migrated.sqlite3"
        environment = product_environment(database, DJANGO_SETTINGS_MODULE="workbench.settings")
        _output_of(manage("migrate", "-v", "0"), environment)
        making_accounts = [sys.executable, "-m", "tests.benchmarks.accounts", str(ACCOUNTS)]
        return database, _output_of(making_accounts, environment).split()

    def _frame_bytes(self, *, stamped: bool) -> int:
        load = Load(deltas=20, per_second=20, stamped=stamped)
        answer = play(self.product, self.tokens[:1], COOPERATIVE, load).answers[0]
        return int(median(answer.content_frame_bytes))


def _output_of(command: list[str], environment: dict[str, str]) -> str:
    """What a command printed; raises ServerError with its complaint when it fails."""
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerError(f"{' '.join(command[1:])} failed:\n{done.stderr[-3000:]}")
    return done.stdout
