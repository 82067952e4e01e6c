"""How long a fault was felt: watched from outside, by what clients get.

Owns the two moments of the table. *Answers*: every answer that was in progress has gone on at every client that
watches it, or has told its end. *All well*: every process answers again and hears at once of the others' answers.
"""

import asyncio
import time
from dataclasses import asdict, dataclass

from tests.faults.answers import Answer
from tests.faults.crowd import Crowd

__all__ = ["IN_TIME", "Recovery", "Watch"]

IN_TIME = 40.0  # seconds; the longest that is meant is 12, of a lease that has to run out
LOOK_EVERY = 0.02


@dataclass
class Recovery:
    """Seconds from a fault (or from its end, where it lasts) to each moment; None where it wasn't waited for.
    `overdue`: it was, and didn't come in time."""

    kind: str
    answers: float | None = None
    all_well: float | None = None
    overdue: bool = False

    def as_json(self) -> dict[str, object]:
        return asdict(self)


class Watch:
    """Begins when it is made. `elsewhere_than` leaves out who is at that address; `answers_only` the second moment."""

    def __init__(self, crowd: Crowd, kind: str, *, elsewhere_than: str = "", answers_only: bool = False) -> None:
        self.recovery = Recovery(kind)
        self._crowd = crowd
        self._begin = time.monotonic()
        self._deadline = self._begin + IN_TIME
        self._answers_only = answers_only
        self._marks: list[tuple[Answer, int]] = [
            (answer, answer.cursor) for answer in crowd.answers_elsewhere(elsewhere_than) if not answer.ended.is_set()
        ]
        self._heard = [(link.watched, link.watched.unstored if link.watched else 0) for link in crowd.links]
        self._watching = asyncio.create_task(self._watch())

    async def done(self) -> Recovery:
        """When all is well, or IN_TIME is over."""
        await self._watching
        return self.recovery

    async def _watch(self) -> None:
        recovery = self.recovery
        while time.monotonic() < self._deadline:
            seconds = time.monotonic() - self._begin
            if recovery.answers is None and self._answers_go_on():
                recovery.answers = seconds
            if recovery.all_well is None and not self._answers_only and self._all_well():
                recovery.all_well = seconds
            if recovery.answers is not None and (self._answers_only or recovery.all_well is not None):
                return
            await asyncio.sleep(LOOK_EVERY)
        recovery.overdue = True

    def _answers_go_on(self) -> bool:
        return all(answer.ended.is_set() or answer.cursor > cursor for answer, cursor in self._marks)

    def _all_well(self) -> bool:
        return all(
            link.runs and link.watched is not None and (link.watched is not watched or link.watched.unstored > heard)
            for link, (watched, heard) in zip(self._crowd.links, self._heard, strict=True)
        )
