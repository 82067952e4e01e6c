"""Runs the modules' own tests (node's runner) with the others."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node; see README.md, Tests")
def test_the_modules_own_tests_pass():
    tests = sorted(str(path) for path in HERE.glob("*.test.mjs"))
    command = ["node", "--import", str(HERE / "modules.mjs"), "--test", *tests]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
