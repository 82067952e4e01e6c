"""What this process counts of chats, for /metrics (workbench/metrics.py). docs/monitoring.md explains each.

Counted per batch, page or run, never per delta. Labels are names of ours: never a user's words, ids or addresses.
What is known anyway when somebody asks (runs in progress, subscribers) isn't counted here.
"""

from __future__ import annotations

from prometheus_client import Counter, Histogram

__all__ = [
    "BLOCKED_HANDLERS",
    "COMMIT_SECONDS",
    "EVENTS_COMMITTED",
    "EVENTS_MERGED",
    "EVENTS_PUBLISHED",
    "EVENTS_REPLAYED",
    "FIRST_EVENT_SECONDS",
    "HELD_RUNS",
    "LIMITS_SKIPPED",
    "RATE_LIMITED",
    "REAPED_RUNS",
    "RUNS",
    "RUN_ERRORS",
    "SOCKETS_CLOSED",
    "TITLES",
    "TITLE_TOKENS",
    "error_label",
]

# The contract's (protocol §2); what a handler makes up itself may be anything, so it's counted as one.
ERROR_TYPES = frozenset(
    {
        "handler_error",
        "timeout",
        "first_event_timeout",
        "idle_timeout",
        "worker_lost",
        "shutdown",
        "model_error",
        "throttled",
        "unavailable",
        "empty_response",
        "invalid_event",
    }
)
COMMIT_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
FIRST_EVENT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

RUNS = Counter("workbench_runs", "Answers that have ended.", ["handler", "outcome"])
RUN_ERRORS = Counter("workbench_run_errors", "Answers that ended as an error, by its type.", ["error_type"])
FIRST_EVENT_SECONDS = Histogram(
    "workbench_first_event_seconds",
    "From an answer's launch to its handler's first event.",
    ["handler"],
    buckets=FIRST_EVENT_BUCKETS,
)
EVENTS_COMMITTED = Counter("workbench_events_committed", "Events stored in the log.")
EVENTS_MERGED = Counter("workbench_events_merged", "Deltas that went into the event before them.")
EVENTS_PUBLISHED = Counter("workbench_events_published", "Committed and unstored events handed to the hub.")
EVENTS_REPLAYED = Counter("workbench_events_replayed", "Events read from the log for a follower.")
TITLES = Counter("workbench_titles", "Titles asked of a model, by what came of it.", ["outcome"])
TITLE_TOKENS = Counter("workbench_title_tokens", "Tokens of those, among the model's.", ["kind"])
COMMIT_SECONDS = Histogram("workbench_commit_seconds", "The writer's transactions.", buckets=COMMIT_BUCKETS)
HELD_RUNS = Counter("workbench_held_runs", "Batches set aside since a row that they need was locked.")
SOCKETS_CLOSED = Counter("workbench_sockets_closed", "Websockets closed by the server, by close code.", ["code"])
REAPED_RUNS = Counter("workbench_reaped_runs", "Answers ended here for a process that is gone, or gave them up.")
BLOCKED_HANDLERS = Counter(
    "workbench_blocked_handlers", "Cooperative handlers caught blocking the shared loop.", ["handler"]
)
RATE_LIMITED = Counter("workbench_rate_limited", "Requests that a limit refused.", ["limit"])
LIMITS_SKIPPED = Counter("workbench_limits_skipped", "Limits not looked up since Redis was away.")


def error_label(error_type: str | None) -> str:
    """An error's type as a label."""
    return error_type if error_type in ERROR_TYPES else "other"
