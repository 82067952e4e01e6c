"""Medians, percentiles and verdicts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

Verdict = Literal["PASS", "MISS", "reported", "not measured"]


class NotMeasuredError(Exception):
    """Something that a measurement needs isn't on this machine; the message says what."""


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` % of the values don't exceed (nearest rank); raises on no values."""
    if not values:
        raise ValueError("no values to take a percentile of")
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def median_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """The median of the pairs' own ratios: each pair ran back to back, so a slow minute of the machine cancels out."""
    return median(one / other for one, other in pairs)


@dataclass(frozen=True)
class Limit:
    """What a line promises: a bound on its value, and whether missing it fails the run or is only told."""

    relation: Literal["≥", "≤"]
    bound: float
    binding: bool = True

    def holds(self, value: float) -> bool:
        return value >= self.bound if self.relation == "≥" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.relation} {self.bound:g}" + ("" if self.binding else " (goal)")


def at_least(bound: float) -> Limit:
    return Limit("≥", bound)


def at_most(bound: float) -> Limit:
    return Limit("≤", bound)


def goal_of(bound: float) -> Limit:
    """A bound from below that's reported, met or not."""
    return Limit("≥", bound, binding=False)


@dataclass(frozen=True)
class Line:
    """One line of the table. A line whose measurement failed has no value, a `fault` that says why, and is a miss.

    `missing` names what this machine lacks for it: then it is neither kept nor broken.
    """

    title: str
    value: float | None
    unit: str
    limit: Limit | None = None
    note: str = ""
    fault: str = ""
    missing: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        if self.missing:
            return "not measured"
        if self.fault or self.value is None:
            return "MISS"
        if self.limit is None or not self.limit.binding:
            return "reported"
        return "PASS" if self.limit.holds(self.value) else "MISS"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "limit": str(self.limit) if self.limit else None, "verdict": self.verdict}
