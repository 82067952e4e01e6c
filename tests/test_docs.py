"""The pages name what the code has: a frame, code or setting that isn't documented fails here."""

import json
import re
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path
from textwrap import dedent

import pytest
from django.core.management import get_commands

import handlers.loading
from chats import protocol
from tests.processes import ROOT, ServerProcess
from tests.workbench.conftest import bare_environment
from workbench.environment import Environment

DOCS = ROOT / "docs"
WEBSOCKET = (DOCS / "websocket.md").read_text()


@pytest.mark.parametrize("kind", sorted(protocol._FRAMES))
def test_every_client_frame_has_its_row(kind):
    assert f"| `{kind}` |" in WEBSOCKET


@pytest.mark.parametrize("field", sorted(protocol.Start.model_fields))
def test_every_field_of_a_start_is_described(field):
    assert f"`{field}`" in WEBSOCKET


@pytest.mark.parametrize(("code", "status"), sorted(protocol.STATUS_OF.items()))
def test_every_error_code_stands_with_its_http_status(code, status):
    assert f"| `{code}` | {status} |" in WEBSOCKET


@pytest.mark.parametrize("code", [code for name, code in vars(protocol.ClosingCode).items() if name.isupper()])
def test_every_close_code_is_explained(code):
    assert f"| {code} |" in WEBSOCKET


# docs/handlers.md: that its Python runs is tests/handlers/test_docs.py's; here is the rest, and the way of a stranger.

HANDLERS = (DOCS / "handlers.md").read_text()
BLOCKS = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", HANDLERS, re.MULTILINE | re.DOTALL)
FIRST_STEPS = HANDLERS.split("## A first handler in five minutes")[1].split("\n# ")[0]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _blocks(language: str, text: str = HANDLERS) -> list[str]:
    return [dedent(block) for block in re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)]


def test_every_block_says_what_it_is_so_that_it_can_be_tried() -> None:
    assert {language for language, _ in BLOCKS} == {"python", "sh", "env", "toml", "js"}


@pytest.mark.parametrize("block", _blocks("js"))
def test_javascript_imports_what_the_pages_modules_export(block: str) -> None:
    imported = re.findall(r'import \{ ([\w, ]+) \} from "wb/(\w+)"', block)
    assert imported
    for names, module in imported:
        source = (ROOT / "chats" / "static" / "chats" / f"{module}.js").read_text()
        assert all(f"export function {name}(" in source for name in names.split(", "))


@pytest.mark.parametrize("block", _blocks("toml"))
def test_toml_names_the_group_that_is_read(block: str) -> None:
    (points,) = tomllib.loads(block)["project"]["entry-points"].items()
    assert points[0] == handlers.loading.ENTRY_POINT_GROUP


@pytest.mark.parametrize("line", [line for block in _blocks("sh") for line in block.splitlines()])
def test_every_command_exists(line: str) -> None:
    commands = re.findall(r"manage\.py (\w+)", line)
    assert all(command in get_commands() for command in commands)
    assert all(target in TARGETS for target in re.findall(r"^make (\w+)", line))
    paths = re.findall(r"pytest (tests/\S+)", line)
    assert all((ROOT / path).exists() for path in paths)
    variables = {variable.lower() for variable in re.findall(r"\b(WORKBENCH_\w+|DEBUG)=", line)}
    assert variables <= {*Environment.model_fields, "workbench_test_handlers"}
    assert commands or "pytest" in line or line.startswith(("make ", "curl ", "export ")), (
        "a command that nothing here tries"
    )


class Stranger:
    """Someone who does what the first steps say: their files, their setting, their server."""

    def __init__(self, folder: Path) -> None:
        package = folder / "my_handlers"
        package.mkdir()
        (package / "__init__.py").write_text(_blocks("python", FIRST_STEPS)[0])
        (package / "test_greeter.py").write_text(_blocks("python", FIRST_STEPS)[1])
        self.package = package
        setting = folder / ".env"
        setting.write_text(f"{_blocks('env', FIRST_STEPS)[0]}DATABASE_URL=sqlite:///{folder}/site.sqlite3\n")
        self.environment = bare_environment(WORKBENCH_ENV_FILE=str(setting), PYTHONPATH=str(folder))

    def run(self, *arguments: str) -> str:
        """What the command prints; its complaints too where it is a check. Fails when it fails."""
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip() + (done.stderr if arguments[-1] == "check" else "")


@pytest.fixture
def stranger(tmp_path: Path) -> Stranger:
    return Stranger(tmp_path)


def test_the_first_steps_test_passes_as_it_is_run_there(stranger: Stranger) -> None:
    assert "1 passed" in stranger.run(
        "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", str(stranger.package)
    )


def test_the_first_steps_lead_to_an_answer_over_http(stranger: Stranger) -> None:
    assert "handlers." not in stranger.run("manage.py", "check")
    stranger.run("manage.py", "migrate", "--verbosity=0")
    stranger.run("manage.py", "create_demo_users")
    token = stranger.run("manage.py", "create_token", "demo")
    (body,) = re.findall(r"--json '(.*?)'", FIRST_STEPS)
    server = ServerProcess("manage.py", "serve", "--port", "0", environment=stranger.environment)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{server.address}/api/v1/generate/invoke", body.encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as response:
            (part,) = json.load(response)["parts"]
    finally:
        server.kill()
    assert part["content"] == "Hello! You said: Good evening"
