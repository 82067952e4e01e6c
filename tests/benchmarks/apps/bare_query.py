"""The least that a replay could cost: one query for a response's rows, and their JSON. `… URL RESPONSE COUNT`.

With the plain driver, on a connection that is there; prints the milliseconds of each time.
"""

import json
import sqlite3
import sys
import time
import uuid
from typing import Any

import psycopg

QUERY = "SELECT sequence, type, emit, timestamp, payload FROM chats_event WHERE response_id = {} ORDER BY sequence"


def connect(url: str, response_id: str) -> tuple[Any, str, str]:
    """A connection, the query, and the response's key as its column has it."""
    if url.startswith("sqlite:///"):
        return sqlite3.connect(url.removeprefix("sqlite:///")), QUERY.format("?"), uuid.UUID(response_id).hex
    return psycopg.connect(url), QUERY.format("%s"), response_id


def main() -> None:
    """See the module."""
    url, response_id, count = sys.argv[1:]
    connection, query, key = connect(url, response_id)
    taken = []
    for _ in range(int(count)):
        begin = time.perf_counter()
        rows = connection.execute(query, (key,)).fetchall()
        names = ("sequence", "type", "emit", "timestamp", "payload")
        text = json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str)
        taken.append(1e3 * (time.perf_counter() - begin))
    sys.stdout.write(json.dumps({"rows": len(rows), "bytes": len(text), "ms": taken}) + "\n")


if __name__ == "__main__":
    main()
