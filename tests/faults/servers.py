"""A driven server: a real process on a port of its own, killed, paused, stopped and started again."""

import signal
import socket
from collections.abc import Mapping
from pathlib import Path

from tests.processes import ServerProcess

__all__ = ["DAPHNE", "SERVE", "Server", "free_port"]

SERVE = ("manage.py", "serve", "--host", "127.0.0.1", "--port")
DAPHNE = ("-m", "daphne", "-v", "1", "workbench.asgi:application", "-b", "127.0.0.1", "-p")


class Server:
    """`manage.py serve` (or another command that a port is put behind); it keeps its port over restarts."""

    def __init__(self, environment: Mapping[str, str], command: tuple[str, ...] = SERVE) -> None:
        self.port = free_port()
        self._environment = dict(environment)
        self._command = command
        self._said: list[str] = []
        self.running = self._run()

    def _run(self) -> ServerProcess:
        return ServerProcess(*self._command, str(self.port), environment=self._environment)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_address(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/chat/"

    @property
    def output(self) -> str:
        return self.running.output

    def kill(self) -> None:
        """SIGKILL: it can't say or write anything any more."""
        self.running.kill()

    @property
    def all_output(self) -> str:
        """What it and those before it on this port have said."""
        return "\n".join([*self._said, self.output])

    def start_again(self) -> None:
        """A new process on the same port; returns when it serves."""
        self._said.append(self.output)
        self.running = self._run()

    def pause(self) -> None:
        self.running.signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.running.signal(signal.SIGCONT)

    def terminate(self) -> int:
        """SIGTERM; its exit code."""
        self.running.signal(signal.SIGTERM)
        return self.running.exit_code()

    def resident_bytes(self) -> int:
        """Its memory. Linux."""
        status = Path(f"/proc/{self.running.process.pid}/status").read_text()
        kibibytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(kibibytes) * 1024


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
