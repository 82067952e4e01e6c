"""The Python that has what the product is compared with, and nothing of the product's: requirements/bench.txt.

An environment of its own under bench-results, made when it isn't there or is out of date. Nothing of it is ever
installed beside the product.
"""

import os
import subprocess
import sys
from functools import cache

from tests.benchmarks.figures import NotMeasuredError
from tests.benchmarks.servers import PROJECT

ENVIRONMENT = PROJECT / "bench-results" / "rivals"
LOCK = PROJECT / "requirements" / "bench.txt"
LAUNCHER = PROJECT / "tests" / "benchmarks" / "apps" / "launch.py"


@cache
def python_of_rivals() -> str:
    """Its interpreter's path. Raises NotMeasuredError when it can't be made, as without a package index."""
    python, stamp = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "made-of.txt"
    wanted = LOCK.read_text()
    if not stamp.is_file() or stamp.read_text() != wanted:
        sys.stderr.write("Installing what is compared …\n")
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT))
        _uv("pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(LOCK))
        stamp.write_text(wanted)
    return str(python)


def run_as_rival(module: str) -> list[str]:
    """The command that runs a module of ours there. Raises NotMeasuredError."""
    return [python_of_rivals(), str(LAUNCHER), module]


def _uv(*arguments: str) -> None:
    uv = str(PROJECT / ".venv" / "bin" / "uv")
    # The whole environment, which may name a package index.
    done = subprocess.run([uv, *arguments], cwd=PROJECT, env=dict(os.environ), capture_output=True, text=True)
    if done.returncode:
        raise NotMeasuredError(f"what is compared can't be installed: {done.stderr.strip()[-500:]}")
