"""A real site for a real browser: `manage.py serve` on a database file of its own, that can be killed and restarted."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, WebSocketRoute, expect, sync_playwright

from tests.browser.accounts import PASSWORD
from tests.processes import ROOT, ServerProcess

PATIENCE = 15_000  # ms; a lost worker's runs are ended within 15 s, which has its own patience
expect.set_options(timeout=PATIENCE)


class Site:
    """One site; it keeps its address when it is restarted."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "workbench.settings",
            "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
            "SECRET_KEY": "browser-tests-only-" * 4,
            "WORKBENCH_LOG_LEVEL": "WARNING",
            **environment,
        }
        command = [sys.executable, "-m", "tests.browser.accounts"]
        made = subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE)
        self._accounts: dict[str, Any] = json.loads(made.stdout)
        self._port = "0"
        self.start()

    def start(self) -> None:
        self.server = ServerProcess("manage.py", "serve", "--port", self._port, environment=self.environment)
        self.address = self.server.address
        self._port = self.address.rsplit(":", 1)[1]

    def session_of(self, user: str) -> Any:
        """The cookie of a session in which the user is signed in, without the second that a login takes."""
        return {"name": self._accounts["cookie"], "value": self._accounts["sessions"][user], "url": self.address}

    @property
    def is_running(self) -> bool:
        return self.server.process.poll() is None

    def stop(self) -> None:
        """As a deployment does it: kindly, and to the end."""
        self.server.signal(signal.SIGTERM)
        self.server.exit_code()

    def kill(self) -> None:
        self.server.kill()


def chromium() -> str:
    """The browser's path; the tests' conftest has skipped them if there is none."""
    return os.environ.get("CHROME") or shutil.which("chromium") or ""


@contextmanager
def browsing() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]  # as root, and in small containers
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield browser
        browser.close()


def sign_in(page: Page, address: str, user: str) -> None:
    page.goto(address)
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def ready(page: Page) -> Page:
    """Waits for the modules and the socket: before that a key would be typed into nothing."""
    expect(page.locator("html")).to_have_attribute("data-conn", "open")
    return page


def ask(page: Page, text: str, task: str = "demo") -> None:
    page.get_by_label("Answered by").select_option(task)
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def until(page: Page, condition: Callable[[], Any]) -> None:
    """Waits for what no element shows; what Playwright hears meanwhile is handled."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < deadline, "it didn't come true"
        page.wait_for_timeout(20)


class _Held:
    """Frames of a page's socket that are held back until they are let go, however slow the test is."""

    def __init__(self, page: Page) -> None:
        self._held: list[str | bytes] = []
        self._is_holding = True
        page.route_web_socket("**/*", self._between)
        page.reload()
        ready(page)

    def _between(self, socket: WebSocketRoute) -> None:
        self._page, self._server = socket, socket.connect_to_server()
        self._listen()

    def _listen(self) -> None:
        raise NotImplementedError

    def _pass(self, frame: str | bytes, to: WebSocketRoute, is_held: bool) -> None:
        if self._is_holding and is_held:
            self._held.append(frame)
        else:
            to.send(frame)

    def _let_go_to(self, receiver: WebSocketRoute) -> None:
        self._is_holding = False
        for frame in self._held:
            receiver.send(frame)


class HeldEnds(_Held):
    """Answers end on the page when they are let go and not before: all from the first end on waits."""

    def _listen(self) -> None:
        self._server.on_message(self._told)

    def _told(self, frame: str | bytes) -> None:
        self._pass(frame, self._page, bool(self._held) or '"response_end"' in str(frame))

    def let_go(self) -> None:
        self._let_go_to(self._page)


class HeldStarts(_Held):
    """The starts that a page sends, held back until they are let go or refused: the server hasn't heard of them."""

    def _listen(self) -> None:
        self._page.on_message(self._sent)

    def _sent(self, frame: str | bytes) -> None:
        self._pass(frame, self._server, json.loads(frame)["type"] == "start")

    def let_go(self) -> None:
        self._let_go_to(self._server)

    def refuse(self) -> None:
        self._is_holding = False
        for frame in self._held:
            request_id = json.loads(frame)["request_id"]
            error = {"type": "error", "code": "rate_limited", "message": "Not so fast.", "request_id": request_id}
            self._page.send(json.dumps(error))
