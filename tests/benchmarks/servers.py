"""The servers under test: real processes on a core of their own, with their log, processor time and memory.

Linux only where it pins and reads /proc. Knows nothing of what a server serves.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
READY_WITHIN = 60.0
STOPPED_WITHIN = 30.0
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")


class ServerError(Exception):
    """A server didn't start; the message ends with its log."""


@dataclass(frozen=True)
class Server:
    """A running server: its address (`http` for requests, `ws` for sockets) and its process id."""

    name: str
    port: int
    pid: int

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Processor time of all its threads so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


CORES = sorted(os.sched_getaffinity(0))  # at import, before this process is itself confined to one
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]  # the same on a machine with one: the report says so


def confine_client() -> None:
    """Keeps this process off the servers' core."""
    os.sched_setaffinity(0, {CLIENT_CORE})


def clean_environment(**variables: str) -> dict[str, str]:
    """Only what a process needs to run, so that nobody's own settings leak into a measurement."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {**kept, "PYTHONPATH": str(PROJECT), **variables}


def product_environment(database_url: str, **variables: str) -> dict[str, str]:
    """The product as it ships, on this database, with the benchmark's handlers."""
    return clean_environment(
        DATABASE_URL=database_url,
        SECRET_KEY=secrets.token_urlsafe(48),
        ALLOWED_HOSTS="127.0.0.1",
        WORKBENCH_EXTRA_HANDLERS=(
            "tests.benchmarks.handlers.CooperativeSpeaker,tests.benchmarks.handlers.OwnLoopSpeaker,"
            "tests.benchmarks.handlers.SpeakerInRows"
        ),
        WORKBENCH_RATE_LIMITS="off",
        WORKBENCH_MAX_RUNS="1000",
        **variables,
    )


def manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def daphne(application: str, port: int) -> list[str]:
    return [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port), application]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    environment: Mapping[str, str],
    log: Path,
    ready_path: str | None = None,
    *,
    core: int = SERVER_CORE,
) -> Iterator[Server]:
    """Starts a server on `core` and waits until it answers, then stops it at the end; it's named as its log.

    It answers when `ready_path` gives 200, or without one when it accepts connections. Raises ServerError.
    """
    with log.open("wb") as output, on_core(core):
        process = subprocess.Popen(command, cwd=PROJECT, env=dict(environment), stdout=output, stderr=output)
    name = log.stem
    server = Server(name, port, process.pid)
    try:
        _wait_until_ready(server, process, log, ready_path)
        yield server
    finally:
        _stop(process)


@contextmanager
def on_core(*cores: int) -> Iterator[None]:
    """A process started in this block stays on these cores: children inherit it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes], log: Path, path: str | None) -> None:
    give_up = time.monotonic() + READY_WITHIN
    while not (_answers(server.http + path) if path else _accepts(server.port)):
        if process.poll() is not None or time.monotonic() > give_up:
            tail = log.read_text(errors="replace")[-3000:]
            raise ServerError(f"{server.name} didn't start (exit code {process.returncode}):\n{tail}")
        time.sleep(0.1)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOPPED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
