"""A database connection that belongs to one thread for good: outside the pool, and with time-outs of its own.

For the writer and the lease's beat. Both must go on when the pool is exhausted, and neither may wait long for a
row that somebody else has locked: all answers of the process, or its lease, would wait with it. On SQLite every
thread has a connection of its own anyway and rows aren't locked, so there it does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, OperationalError, connection, connections

__all__ = ["TimeOuts", "is_locked", "is_outage", "renew_pool", "take_own_connection", "wait_for_locks"]

# SQLSTATE: lock_not_available, deadlock_detected. Nothing is wrong with the connection then.
LOCKED = frozenset({"55P03", "40P01"})
# idle_in_transaction_session_timeout, read_only_sql_transaction (after a failover, or with a full disk). To psycopg
# they are InternalErrors, and over the second one the connection stays usable: to the wrong server.
AWAY = frozenset({"25P03", "25006"})
# Of the pooled connections' options: with values bound by the server no message can have several statements.
NOT_ITS_OWN = frozenset({"pool", "server_side_binding"})
# program_limit_exceeded and its kind: OperationalErrors too, but it is what was asked that is too much.
TOO_MUCH = frozenset({"54000", "54001", "54011", "54023"})


@dataclass(frozen=True, slots=True)
class TimeOuts:
    """Seconds: to wait for a lock, for one statement, and between two of a transaction.

    The last is how soon the server frees the rows of a process that was paused, or cut off, inside a transaction.
    """

    lock: float
    statement: float
    idle: float


def take_own_connection(time_outs: TimeOuts) -> None:
    """Gives the calling thread a connection of its own, opened at its first query. Close it when the thread ends."""
    if connection.vendor != "postgresql":
        return
    pooled = connections[DEFAULT_DB_ALIAS]
    kept = pooled.settings_dict["OPTIONS"].items()
    options: dict[str, Any] = {name: value for name, value in kept if name not in NOT_ITS_OWN}
    options["options"] = f"{options.get('options', '')} {_as_parameters(time_outs)}".strip()
    own = type(pooled)(pooled.settings_dict | {"OPTIONS": options, "CONN_MAX_AGE": None}, DEFAULT_DB_ALIAS)
    pooled.close()
    connections[DEFAULT_DB_ALIAS] = own


def renew_pool() -> None:
    """After an outage: a pool that couldn't connect meanwhile gives way to a new one.

    psycopg_pool tries again at doubling intervals, one attempt at a time: after 40 s away, its doors stayed shut for 17
    more. Who waits for the old one is told that it is closed, as by any broken connection. Django makes the new one.
    """
    wrapper = type(connections[DEFAULT_DB_ALIAS])
    pools = getattr(wrapper, "_connection_pools", {})
    worn = pools.get(DEFAULT_DB_ALIAS)
    if worn is None:
        return
    # Since the last outage. How many it has left says nothing: they may be dead, given back by who met the outage.
    if not worn.pop_stats().get("connections_errors", 0):
        return
    # Made and opened under another name first: at no moment is there none, or one that isn't open.
    renewed: Any = wrapper(connections.settings[DEFAULT_DB_ALIAS], "renewed")
    renewed.pool.open()
    pools[DEFAULT_DB_ALIAS] = pools.pop("renewed")
    worn.close(timeout=0)


def _as_parameters(time_outs: TimeOuts) -> str:
    milliseconds = {
        "lock_timeout": time_outs.lock,
        "statement_timeout": time_outs.statement,
        "idle_in_transaction_session_timeout": time_outs.idle,
    }
    return " ".join(f"-c {name}={round(seconds * 1000)}" for name, seconds in milliseconds.items())


def wait_for_locks(seconds: float) -> None:
    """Bounds what the transaction that has begun waits for a lock, other than its connection says."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{round(seconds * 1000)}ms"])


def is_locked(error: BaseException) -> bool:
    """Whether a statement failed because somebody else holds a lock, and may go through a little later."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", None) in LOCKED


def is_outage(error: BaseException) -> bool:
    """Whether the database can't be written to now, whatever is asked of it. The connection is to be closed then."""
    code = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, OperationalError | InterfaceError):
        return code not in TOO_MUCH
    return isinstance(error, DatabaseError) and code in AWAY
