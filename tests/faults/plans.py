"""What a seed stands for: which faults are thrown, in which order, at whom. Pure.

The same seed plans the same run; what the machine makes of it (which commit is cut, which event was the last before a
kill) is not in anybody's hands.
"""

import itertools
from dataclasses import dataclass
from random import Random

from tests.faults.recital import Order

__all__ = ["KINDS", "QUICK", "SERVERS", "TASKS", "Fault", "Plan", "endless_order", "short_order", "short_seeds"]

SERVERS = 3
FAULTS = 2  # a run
TASKS = ("reciter-cooperative", "reciter-blocking")

# Every kind with how it is told in the table, and how often it comes by chance; each also comes in its turn.
KINDS: dict[str, tuple[int, str]] = {
    "killed": (3, "a web process gets SIGKILL and is started again"),
    "machine lost": (1, "the same, and nobody can see that it is gone: only its lease tells"),
    "paused": (1, "a web process gets SIGSTOP for twice its lease, then SIGCONT"),
    "paused in commit": (1, "the same, in the middle of a transaction, its locks in its hand"),
    "queued": (2, "a run waits for a worker that has died before it began"),
    "cancel unheard": (2, "an answer is cancelled on another process while Redis is down"),
    "end unheard": (2, "an answer ends while Redis is down: the last hint is lost"),
    "redis stopped": (2, "Redis is stopped for 5 s and comes back empty"),
    "redis frozen": (2, "Redis answers nobody for 5 s, then is flushed"),
    "database restarted": (3, "PostgreSQL is restarted, its sessions ended first (fast)"),
    "database crashed": (3, "PostgreSQL is restarted without warning (immediate)"),
    "connections killed": (3, "all connections to PostgreSQL are ended by pg_terminate_backend"),
    "cut before commit": (2, "a connection breaks and COMMIT never arrives"),
    "cut after commit": (2, "a connection breaks after COMMIT was done, before its answer"),
    "cut, commit late": (2, "a connection breaks, and COMMIT is done half a second later"),
    "clients cut off": (3, "all clients that can go elsewhere lose their connection, and resume on another process"),
}
# Those that are over in a few seconds each: the short form's.
QUICK = (
    "killed",
    "queued",
    "database restarted",
    "connections killed",
    "cut before commit",
    "cut after commit",
    "cut, commit late",
    "clients cut off",
)


@dataclass(frozen=True)
class Fault:
    """One fault: its kind, the server it is thrown at, and after how many seconds of calm."""

    kind: str
    server: int
    after: float


@dataclass(frozen=True)
class Plan:
    """All that a seed decides before the run; `seed` decides what people do in it, too."""

    seed: int
    faults: tuple[Fault, ...]

    @classmethod
    def of(cls, seed: int) -> "Plan":
        """The plan of a seed: its first fault by turns, so that each comes about as often, the others by chance."""
        random = Random(seed)
        by_turns = list(KINDS)[seed % len(KINDS)]
        weights = [weight for weight, _ in KINDS.values()]
        kinds = [by_turns, *random.choices(list(KINDS), weights, k=FAULTS - 1)]
        random.shuffle(kinds)
        return cls.throwing(seed, kinds)

    @classmethod
    def throwing(cls, seed: int, kinds: list[str]) -> "Plan":
        """A plan with these faults in this order."""
        random = Random(f"{seed} faults")
        return cls(seed, tuple(Fault(kind, random.randrange(SERVERS), random.uniform(0.1, 0.8)) for kind in kinds))

    def person(self, name: str) -> Random:
        """What decides what somebody does."""
        return Random(f"{self.seed} {name}")


def short_seeds() -> list[int]:
    """The first seeds that throw nothing but QUICK faults, and all of them."""
    seeds: list[int] = []
    missing = set(QUICK)
    for seed in itertools.count():
        kinds = {fault.kind for fault in Plan.of(seed).faults}
        if kinds <= set(QUICK) and kinds & missing:
            seeds.append(seed)
            missing -= kinds
        if not missing:
            break
    return seeds


def short_order(random: Random) -> Order:
    """An answer that ends by itself within a few seconds."""
    events = random.randrange(20, 160)
    return Order(seed=random.getrandbits(32), events=events, per_second=random.choice((40, 60, 100, 0)))


def endless_order(random: Random) -> Order:
    """An answer that goes on until it is cancelled; many of its events come by the live way alone."""
    return Order(seed=random.getrandbits(32), events=20_000, per_second=20, unstored=60)
