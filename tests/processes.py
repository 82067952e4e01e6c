"""Server processes for tests: started for real, found by the address they print, always ended."""

import queue
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60  # seconds until a process that says nothing is given up
# How serve, uvicorn and daphne say that they are ready.
READY = re.compile(r"(?:Listening at|running on|Listening on TCP address) (?:http://)?([\w.]+:\d+)")


class ServerProcess:
    """A server by its command line, Python's unless said otherwise, which prints its address; its output is kept."""

    def __init__(
        self, *arguments: str, environment: dict[str, str] | None = None, program: str = sys.executable
    ) -> None:
        self.process = subprocess.Popen(
            [program, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._unread: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self.address = f"http://{self._wait(READY).group(1)}"
        except BaseException:
            self.kill()  # nobody else has it yet
            raise

    @property
    def socket_address(self) -> str:
        return self.address.replace("http", "ws", 1)

    def wait_for(self, text: str) -> str:
        """The next line that contains `text`, from there on; fails with all output if there is none."""
        return self._wait(re.compile(f"{re.escape(text)}.*")).group()

    def _wait(self, pattern: re.Pattern[str]) -> re.Match[str]:
        try:
            while (line := self._unread.get(timeout=PATIENCE)) is not None:
                if found := pattern.search(line):
                    return found
        except queue.Empty:
            pass  # it runs on and says nothing
        raise AssertionError(f"{pattern.pattern!r} was not printed; the output was:\n{self.output}")

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
