"""docs/api.md: its examples run, in order, and it leaves out nothing that exists."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chats.api.urls import urlpatterns
from chats.protocol import STATUS_OF
from tests.processes import ROOT

DOCS = (ROOT / "docs" / "api.md").read_text()


def doors() -> set[str]:
    """Each address with each of its methods, as the headings have them."""
    found = set()
    for pattern in urlpatterns:
        door = pattern.callback.cls
        address = re.sub(r"<\w+:\w+>", "{id}", str(pattern.pattern))
        methods = [method for method in ("get", "post", "patch", "delete", "put") if hasattr(door, method)]
        found |= {f"{method.upper()} {address}" for method in methods}
    return found


def test_every_door_has_its_heading() -> None:
    headings = set(re.findall(r"^#+ ((?:GET|POST|PATCH|DELETE|PUT) \S+)$", DOCS, re.MULTILINE))
    assert headings == doors()


def test_every_error_code_is_there_with_its_status() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)`", DOCS, re.MULTILINE)
    listed = {code: int(status) for status, code in rows}
    others = {"internal": 500, "method_not_allowed": 405}
    assert listed == {code: status for code, status in STATUS_OF.items() if code != "unknown_type"} | others


@pytest.mark.skipif(not shutil.which("curl"), reason="the examples need curl")
def test_the_examples_run_one_after_the_other(api_server: Any, tmp_path: Path) -> None:
    examples = re.findall(r"^```sh\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)
    assert len(examples) > len(doors())
    script = "\n".join(["set -eu -o pipefail", *examples]).replace(".venv/bin/python", api_server.python)
    done = subprocess.run(
        ["bash", "-c", script.replace("headers.txt", f"{tmp_path}/headers.txt")],
        cwd=ROOT, env=api_server.site | {"HOST": api_server.server.address}, capture_output=True, text=True,
        timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("event: response_end") == 2
    assert '"ticket"' in done.stdout
