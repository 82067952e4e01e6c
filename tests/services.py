"""PostgreSQL and Redis of a driver's own, on free ports: to be stopped, frozen and emptied as it likes.

Never the machine's. PostgreSQL refuses to run as root, so root runs it as the user `postgres`. Used by the fault
driver and by the benchmarks.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import redis

__all__ = ["PASSING", "Postgres", "Redis", "missing_programs", "postgres_url"]

PATIENCE = 30.0  # seconds
PASSING = (  # settings for a cluster that is thrown away, and needn't be durable meanwhile
    "fsync=off",  # nothing here has to survive a power cut, and nothing that is thrown is one
    "shared_buffers=32MB",
    "autovacuum=off",
)


def missing_programs() -> list[str]:
    """Which of the two this machine doesn't have."""
    return [name for name, found in (("PostgreSQL", _programs()), ("Redis", shutil.which("redis-server"))) if not found]


def _programs() -> Path | None:
    """The folder of PostgreSQL's programs: Debian keeps them off the PATH."""
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[4]))
    found = [Path(on_path)] if on_path else debian[-1:]
    return found[0].resolve().parent if found else None


class Postgres:
    """A cluster in `folder`, which its user must be able to pass through, with `settings` beside the defaults.

    Everything here blocks.
    """

    def __init__(self, folder: Path, settings: Sequence[str] = PASSING) -> None:
        programs = _programs()
        assert programs is not None, "PostgreSQL isn't installed"
        self._programs = programs
        self._settings = ("listen_addresses=127.0.0.1", "max_connections=200", *settings)
        self._folder = folder / "postgres"
        self._folder.mkdir()
        self._user = "postgres" if os.getuid() == 0 else None
        if self._user:
            shutil.chown(self._folder, self._user)
        self.port = _free_port()
        self.log = self._folder / "log"
        self._run("initdb", "-U", "workbench", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")

    def start(self) -> None:
        options = " ".join(f"-c {setting}" for setting in self._settings)
        self._control("start", "-o", f"-p {self.port} -k {self._folder} {options}")

    def restart(self, mode: str) -> None:
        """`fast` ends all sessions first, `immediate` is a crash; returns when it takes connections again."""
        self._control("restart", "-m", mode)

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")

    def _control(self, action: str, *options: str) -> None:
        self._run("pg_ctl", "-w", "-s", "-l", str(self.log), action, *options)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", self._folder / "cluster", *arguments],
            cwd=self._folder,
            user=self._user,
            stdout=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=True,
        )


class Redis:
    """A server that keeps nothing when it is stopped. Everything here blocks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = _free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it answers."""
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < deadline, "Redis didn't start"
            time.sleep(0.02)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """It answers nobody, and no connection to it breaks."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def flush(self) -> None:
        with redis.Redis(port=self.port) as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with redis.Redis(port=self.port) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


def postgres_url(port: int, database: str = "postgres") -> str:
    """The address of a cluster's database at this port."""
    return f"postgresql://workbench@127.0.0.1:{port}/{database}?sslmode=disable&gssencmode=disable"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
