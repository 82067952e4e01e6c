"""What `DATABASES["default"]` must hold for a DATABASE_URL: the options that the event log relies on.

Owns them in one place because each was found by a failure (docs/decisions.md, "Databases"). Reads no environment.
"""

from pathlib import Path
from typing import Any

import dj_database_url

SQLITE_WAIT = 20  # seconds a connection waits for another's write
SQLITE_SETTINGS = (
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"  # a commit that was acknowledged survives a power cut
    "PRAGMA journal_size_limit=67108864;"
)
# Threads of one process that may hold one of the pool's connections at once: the sync views of asgiref (one a
# request), handlers' pool of 8, the doors' 6. Writer, heartbeat and reaper have connections of their own besides.
POSTGRES_POOL = {"min_size": 2, "max_size": 24, "timeout": 10}
# A server that vanished without a word (a network cut, a machine lost) is noticed within seconds, not in two hours.
POSTGRES_CONNECTION = {
    "connect_timeout": 5,  # seconds, as all of these but the last
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}


def database_settings(url: str, base_dir: Path) -> dict[str, Any]:
    """Django's settings for the database at `url`; an empty url is a SQLite file in `base_dir`.

    A relative SQLite path is taken from `base_dir`, not from wherever the command was started.
    """
    settings = dict(dj_database_url.parse(url or "sqlite:///db.sqlite3"))
    if settings["ENGINE"] == "django.db.backends.sqlite3":
        return settings | _sqlite(base_dir / str(settings["NAME"]))
    options: Any = settings.get("OPTIONS") or {}
    # The pool replaces persistent connections; a connection that the server closed is found before it's lent out.
    return settings | {
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": POSTGRES_CONNECTION | options | {"pool": dict(POSTGRES_POOL)},
    }


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "NAME": path,
        "OPTIONS": {
            "timeout": SQLITE_WAIT,
            # A transaction that reads and then writes can't be granted the lock if another wrote in between:
            # it fails at once, whatever the timeout. Taking the lock at BEGIN makes it wait instead.
            "transaction_mode": "IMMEDIATE",
            "init_command": SQLITE_SETTINGS,
        },
        # In-memory databases, Django's default in tests, lock whole tables between threads.
        "TEST": {"NAME": path.with_name(f"test_{path.name}")},
    }
