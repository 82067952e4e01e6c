"""`python -m tests.benchmarks`: measures the product against its promises, prints a table, writes JSON.

Exit code 0 when every promise was kept, 1 when one was missed or a measurement failed. What can't be measured on this
machine (PostgreSQL, Redis or the compared packages aren't there) is named; where CI=true that is exit code 1 as well.
"""

import argparse
import os
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.figures import Line, NotMeasuredError
from tests.benchmarks.frames import BrokenPromiseError
from tests.benchmarks.report import document, kept, table
from tests.benchmarks.scenarios import SCENARIOS, Scenario
from tests.benchmarks.servers import CORES, PROJECT, ServerError, confine_client
from tests.benchmarks.stage import Stage

RESULT = PROJECT / "bench-results" / "result.json"


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logs = options.json.parent / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    _allow_many_sockets()
    confine_client()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with it, as with Ctrl-C
    begin = time.monotonic()
    # Not under /tmp, which may be memory: what is measured includes making each event durable.
    with tempfile.TemporaryDirectory(prefix="stage-", dir=options.json.parent) as folder:
        stage = Stage(Path(folder), logs, quick=options.quick)
        try:
            lines = [line for name in options.only or SCENARIOS for line in _measure(name, stage)]
        finally:
            stage.close()
        seconds = time.monotonic() - begin
        options.json.write_text(document(lines, quick=options.quick, seconds=seconds, folder=Path(folder)))
    _say(table(lines))
    _say(f"\n{seconds:.0f} s; all figures in {options.json}, the servers' words in {logs}")
    if len(CORES) < 2:
        _say("Only one core here: servers and client shared it, so the figures are lower than promised ones.")
    if options.quick:
        _say("--quick: one short round each; promises are judged on the full run.")
    return 0 if kept(lines, all_measured=os.environ.get("CI") == "true") else 1


def _measure(name: str, stage: Stage) -> list[Line]:
    """A scenario's lines; one that can't be measured becomes a miss that says why, and the others still run."""
    sys.stderr.write(f"{name} …\n")
    scenario: Scenario = SCENARIOS[name]
    try:
        return scenario(stage)
    except NotMeasuredError as reason:
        return [Line(name, None, "", missing=str(reason))]
    except (BrokenPromiseError, ServerError, TimeoutError, OSError) as reason:
        return [Line(name, None, "", fault=f"{type(reason).__name__}: {reason}")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, default=RESULT, help="where the figures are written")
    parser.add_argument("--quick", action="store_true", help="one short round each, for development")
    parser.add_argument("--only", action="append", choices=list(SCENARIOS), help="one scenario; may repeat")
    return parser


def _allow_many_sockets() -> None:
    """Thousands of sockets need more files than the usual soft limit; servers inherit this."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
