"""What a run tells: the table for people, the JSON for machines, and whether every promise was kept."""

import json
import os
import platform
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.figures import Line
from tests.benchmarks.servers import CORES, PROJECT

HEADINGS = ("", "measured", "promised", "", "")
FSYNC_PROBES = 50


def kept(lines: Sequence[Line], *, all_measured: bool = False) -> bool:
    """True if no line is a miss; with `all_measured`, if none was left out either."""
    refused = {"MISS", "not measured"} if all_measured else {"MISS"}
    return all(line.verdict not in refused for line in lines)


def table(lines: Sequence[Line]) -> str:
    """Aligned columns: title, value, limit, verdict, note; a failed line's fault stands under it."""
    rows = [HEADINGS, *(_row(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    out: list[str] = []
    for row, line in zip(rows, (None, *lines), strict=True):
        title, value, limit, verdict, note = row
        out.append(
            f"{title:<{widths[0]}}  {value:>{widths[1]}}  {limit:<{widths[2]}}  {verdict:<{widths[3]}}  {note}".rstrip()
        )
        if line and line.fault:
            out.extend(f"    {part}" for part in line.fault.splitlines())
    return "\n".join(out)


def document(lines: Sequence[Line], *, quick: bool, seconds: float, folder: Path) -> str:
    """The run as JSON text."""
    content = {
        "version": 1,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "quick": quick,
        "kept": kept(lines),
        "machine": machine(folder),
        "lines": [line.as_json() for line in lines],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def machine(folder: Path) -> dict[str, Any]:
    """What the figures depend on: figures of two machines compare only by their ratios."""
    return {
        "revision": _revision(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": len(CORES),
        "one_core_each": len(CORES) > 1,
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "fsync_us": round(_fsync_us(folder), 1),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: version(name) for name in ("django", "channels", "daphne", "twisted", "aiohttp")},
    }


def _row(line: Line) -> tuple[str, str, str, str, str]:
    value = "-" if line.value is None else f"{_rounded(line.value)} {line.unit}".strip()
    return (line.title, value, str(line.limit or ""), line.verdict, line.missing or line.note)


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _revision() -> str | None:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or None


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _fsync_us(folder: Path) -> float:
    """What one durable 4 KiB write costs where the databases lie: the floor under every committed event."""
    taken: list[float] = []
    with (folder / "fsync.probe").open("wb", buffering=0) as probe:
        for _ in range(FSYNC_PROBES):
            begin = time.perf_counter()
            probe.write(bytes(4096))
            os.fsync(probe.fileno())
            taken.append(1e6 * (time.perf_counter() - begin))
    return median(taken)
