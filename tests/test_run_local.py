"""`make run`, after its set-up: from nothing to a page that the printed password opens."""

import http.cookiejar
import re
import signal
import urllib.parse
import urllib.request

import pytest

from tests.processes import ServerProcess
from tests.workbench.conftest import bare_environment


@pytest.fixture
def run(tmp_path):
    processes = []

    def start(**variables: str) -> ServerProcess:
        environment = bare_environment(
            DATABASE_URL=f"sqlite:///{tmp_path}/site.sqlite3", HOST="127.0.0.1", PORT="0", **variables
        )
        processes.append(ServerProcess("deploy/run-local", environment=environment, program="bash"))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()


def log_in(address, name, password):
    """The address that a browser ends at after logging in, from a page that wanted it to."""
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    page = browser.open(f"{address}/", timeout=10).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    fields = {"csrfmiddlewaretoken": token, "username": name, "password": password, "next": "/"}
    return browser.open(f"{address}/login/?next=/", urllib.parse.urlencode(fields).encode(), timeout=10).geturl()


def test_what_is_printed_once_opens_the_page(run):
    first = run()
    password = re.search(r"demo +password (\S+)", first.output)[1]
    assert re.search(r"offline +available", first.output)
    assert log_in(first.address, "demo", password) == f"{first.address}/"
    first.signal(signal.SIGTERM)
    assert first.exit_code() == 0

    second = run()
    assert password not in second.output
    assert "--reset-passwords" in second.output
    assert log_in(second.address, "demo", password) == f"{second.address}/"
