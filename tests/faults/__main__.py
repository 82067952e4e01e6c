"""`python -m tests.faults`: seeded runs of faults against real servers, on PostgreSQL and Redis of the driver's own.

Prints the table of faults and times to recover, and writes it as JSON; exit code 0 if nothing was lost, doubled,
reordered, altered, stuck or wrongly ended in any run, 1 otherwise. What the servers said in a failed run is kept.
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from tests.faults.plans import Plan
from tests.faults.report import document, kept, summary, table
from tests.faults.services import missing_programs
from tests.faults.stage import Stage
from tests.faults.trial import Verdict, run_trial
from tests.processes import ROOT

RESULT = ROOT / "var" / "faults" / "result.json"


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if missing := missing_programs():
        sys.stderr.write(f"{' and '.join(missing)} must be installed: the driver starts its own.\n")
        return 1
    options.json.parent.mkdir(parents=True, exist_ok=True)
    seeds = options.seed or range(options.first, options.first + options.runs)
    driver = Driver([Plan.of(seed) for seed in seeds], options.json)
    try:
        asyncio.run(_until_told_to_stop(driver.run(options.stages)))
    except asyncio.CancelledError:
        _say("Stopped; what was found until then:")
    verdicts = sorted(driver.verdicts, key=lambda verdict: verdict.plan.seed)
    _say(f"\n{table(verdicts)}\n\nSeconds: median, and the longest.\n{summary(verdicts)}")
    _say(f"{driver.seconds:.0f} s; all figures in {options.json}")
    return 0 if kept(verdicts) and len(verdicts) == len(seeds) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, action="append", help="run this seed (again); may be given several times")
    parser.add_argument("--runs", type=int, default=200, help="how many seeds (200)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--stages", type=int, default=3, help="how many runs at once, each on servers of its own (3)")
    parser.add_argument("--json", type=Path, default=RESULT, help="where the figures are written")
    return parser


async def _until_told_to_stop(work: Coroutine[Any, Any, None]) -> None:
    """Ctrl-C and SIGTERM end the run like an error does: with all that was started."""
    task = asyncio.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await task


class Driver:
    """Runs every plan once; after each run the figures so far are in the file `result`."""

    def __init__(self, plans: list[Plan], result: Path) -> None:
        self.verdicts: list[Verdict] = []
        self._waiting = iter(plans)
        self._most_stages = len(plans)
        self._result = result
        self._begin = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begin

    async def run(self, stages: int) -> None:
        """On so many stages side by side."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(stages, self._most_stages)):
                tasks.create_task(self._work())

    async def _work(self) -> None:
        """Plan after plan; after one that went wrong on a stage made anew."""
        plan = next(self._waiting, None)
        while plan is not None:
            async with Stage() as stage:
                sound = True
                while plan is not None and sound:
                    sound = await self._run_one(stage, plan)
                    plan = next(self._waiting, None)

    async def _run_one(self, stage: Stage, plan: Plan) -> bool:
        verdict = await run_trial(stage, plan)
        self.verdicts.append(verdict)
        self._result.write_text(json.dumps(document(self.verdicts, self.seconds), indent=1))
        _tell(verdict)
        if verdict.breaches:
            stage.keep_logs(self._result.parent / f"seed-{plan.seed}")
        return not verdict.breaches


def _tell(verdict: Verdict) -> None:
    faults = ", ".join(fault.kind for fault in verdict.plan.faults)
    outcome = "sound" if not verdict.breaches else "BROKEN"
    _say(f"seed {verdict.plan.seed}: {outcome} in {verdict.seconds:.0f} s ({faults})")
    for breach in verdict.breaches:
        _say(f"    {breach}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
