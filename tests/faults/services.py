"""PostgreSQL and Redis of the driver's own (tests/services.py), and the log in the cluster's database."""

from typing import Any

import psycopg

from tests.faults.log import Database
from tests.services import Postgres, Redis, missing_programs, postgres_url

__all__ = ["Postgres", "PostgresDatabase", "Redis", "missing_programs"]


class PostgresDatabase(Database):
    """A cluster's database."""

    def __init__(self, port: int) -> None:
        self.url = self.url_at(port)

    @staticmethod
    def url_at(port: int) -> str:
        """Its address for who reaches it through another port."""
        return postgres_url(port)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, connect_timeout=10) as connection:
            cursor = connection.execute(statement.replace("?", "%s"), values or None)
            return cursor.fetchall() if cursor.description else []

    def key(self, response_id: str) -> str:
        return response_id
