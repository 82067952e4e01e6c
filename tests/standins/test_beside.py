"""`python -m tests.standins`: a command beside stand-ins, led to them and to nothing else."""

import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

SHOW = "import json, os; print(json.dumps(dict(os.environ)), flush=True)"


def beside(*arguments: str, **variables: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.standins", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **variables}
    )


def environment_of(*names: str, **variables: str) -> tuple[str, dict[str, str]]:
    """What was printed before, and the environment that a command gets."""
    said, _ = beside(*names, "--", sys.executable, "-c", SHOW, **variables).communicate(timeout=60)
    *before, last = said.strip().splitlines()
    return "\n".join(before), json.loads(last)


def test_a_command_is_led_to_the_stand_in_alone():
    variables = {"OPENAI_API_KEY": "a real one", "AWS_BEARER_TOKEN_BEDROCK": "a real one", "AWS_SESSION_TOKEN": "real"}
    said, environment = environment_of("bedrock", **variables)
    assert environment["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"].startswith("http://127.0.0.1:")
    assert environment["WORKBENCH_BEDROCK_MODELS"].startswith(f"{environment['WORKBENCH_DEFAULT_MODEL']}=Stand-in")
    assert [environment.get(name, "") for name in variables] == ["", "", ""]
    assert "is no model" in said


def test_several_may_stand_beside_it():
    _, environment = environment_of("bedrock", "openai")
    assert environment["AWS_REGION"]
    assert environment["OPENAI_BASE_URL"].startswith("http://127.0.0.1:")


def test_the_stand_in_answers_while_the_command_runs_and_a_signal_ends_both():
    waiting = "import os, time; print(os.environ['OPENAI_BASE_URL'], flush=True); time.sleep(60)"
    process = beside("openai", "--", sys.executable, "-c", waiting)
    *_, address = (process.stdout.readline().strip() for _ in range(3))
    log = address.removesuffix("/v1") + "/_log"
    with urllib.request.urlopen(log, timeout=10) as answer:
        assert json.load(answer) == []
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGTERM
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(log, timeout=10)


def test_the_commands_exit_code_is_handed_on():
    assert beside("openai", "--", sys.executable, "-c", "raise SystemExit(3)").wait(60) == 3


@pytest.mark.parametrize("arguments", [("openai",), ("claude", "--", "true"), ("--", "true")])
def test_what_makes_no_sense_is_refused(arguments):
    process = beside(*arguments)
    assert "error:" in process.communicate(timeout=60)[0]
    assert process.returncode == 2
