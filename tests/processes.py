"""Server processes for tests: started for real, found by the address they print, always ended."""

import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60  # seconds until a process that says nothing is given up


class ServerProcess:
    """A Python command that prints `Listening at http://…/`; its output is kept, line by line."""

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._unread: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.address = self.wait_for("Listening at ").split()[2].rstrip("/")

    @property
    def socket_address(self) -> str:
        return self.address.replace("http", "ws", 1)

    def wait_for(self, text: str) -> str:
        """The first line not yet waited for that contains `text`; fails with all output if there is none."""
        while (line := self._unread.get(timeout=PATIENCE)) is not None:
            if text in line:
                return line[line.index(text) :]
        raise AssertionError(f"{text!r} was not printed; the output was:\n{self.output}")

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def exit_code(self) -> int:
        """Wait for the process to end."""
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            self._unread.put(line.rstrip("\n"))
        self._unread.put(None)
