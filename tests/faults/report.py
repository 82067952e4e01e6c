"""The table and the JSON of many runs. Pure, but for the machine's description."""

import os
import platform
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from tests.faults.plans import KINDS
from tests.faults.recovery import Recovery
from tests.faults.trial import Verdict

__all__ = ["document", "kept", "summary", "table"]

COUNTED = ("lost", "doubled", "reordered", "altered", "stuck", "ended")
HEADINGS = ("fault", "times", "answers go on", "at most", "all well", "at most")


def kept(verdicts: Iterable[Verdict]) -> bool:
    """Whether every run was sound."""
    return not any(verdict.breaches for verdict in verdicts)


def summary(verdicts: Sequence[Verdict]) -> str:
    """The counts, in a line or two."""
    counts = {kind: sum(each.kind == kind for v in verdicts for each in v.breaches) for kind in COUNTED}
    what = ", ".join(f"{count} {'wrongly ended' if kind == 'ended' else kind}" for kind, count in counts.items())
    failed = [str(verdict.plan.seed) for verdict in verdicts if verdict.breaches]
    again = f"\nSeeds that failed: {', '.join(failed)}; each again with: make faults SEED=n" if failed else ""
    answers, transcripts, events = (
        sum(getattr(v, name) for v in verdicts) for name in ("answers", "transcripts", "events")
    )
    return (
        f"{len(verdicts)} runs, {answers} answers, {transcripts} clients' transcripts of {events} events"
        f" compared with the log: {what}.{again}"
    )


def table(verdicts: Iterable[Verdict]) -> str:
    """Markdown: a row for each kind of fault, with median and longest time to recover in seconds."""
    lines = [HEADINGS, ("---", "--:", "--:", "--:", "--:", "--:")]
    for kind, recoveries in _by_kind(verdicts).items():
        first, second = _times(recoveries, "answers"), _times(recoveries, "all_well")
        lines.append((kind, str(len(recoveries)), *first, *second))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def document(verdicts: Sequence[Verdict], seconds: float) -> dict[str, object]:
    """All of it, for machines."""
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
        "seconds": seconds,
        "runs": [
            {
                "seed": verdict.plan.seed,
                "faults": [fault.kind for fault in verdict.plan.faults],
                "seconds": verdict.seconds,
                "answers": verdict.answers,
                "transcripts": verdict.transcripts,
                "events": verdict.events,
                "recoveries": [each.as_json() for each in verdict.recoveries],
                "breaches": [str(each) for each in verdict.breaches],
            }
            for verdict in verdicts
        ],
    }


def _by_kind(verdicts: Iterable[Verdict]) -> dict[str, list[Recovery]]:
    order = list(KINDS)
    found: dict[str, list[Recovery]] = defaultdict(list)
    for recovery in (each for verdict in verdicts for each in verdict.recoveries):
        found[recovery.kind].append(recovery)
    return dict(sorted(found.items(), key=lambda item: next(i for i, k in enumerate(order) if item[0].startswith(k))))


def _times(recoveries: Iterable[Recovery], moment: str) -> tuple[str, str]:
    times = [time for each in recoveries if (time := getattr(each, moment)) is not None]
    return (f"{median(times):.1f}", f"{max(times):.1f}") if times else ("–", "–")
