"""Where seeded runs take place: web processes on a PostgreSQL and a Redis of their own, and people to use them.

Owns starting and ending all of it. Used for run after run; after one that went wrong it is made anew.
"""

import asyncio
import json
import os
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from tests.faults.plans import SERVERS
from tests.faults.servers import Server
from tests.faults.services import Postgres, PostgresDatabase, Redis
from tests.faults.site import environment_for, migrate_with_people
from tests.faults.wire import Wire

__all__ = ["PEOPLE", "Stage"]

PEOPLE = 4


class Stage:
    """`async with Stage() as stage`: SERVERS web processes, ready."""

    def __init__(self) -> None:
        # Not under a test's folder: the user `postgres` has to pass through.
        self.folder = Path(tempfile.mkdtemp(prefix="workbench-faults-"))
        self.folder.chmod(0o711)
        self.servers: list[Server] = []
        self._services = AsyncExitStack()
        self.lost_workers: set[str] = set()  # those whose answers may have ended as worker_lost

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _open(self) -> None:
        self.redis = Redis(self.folder)
        await asyncio.to_thread(self.redis.start)
        self._services.callback(self.redis.stop)
        self.postgres = await asyncio.to_thread(Postgres, self.folder)
        await asyncio.to_thread(self.postgres.start)
        self._services.callback(self.postgres.stop)
        self.wires = [await self._services.enter_async_context(Wire(self.postgres.port)) for _ in range(SERVERS)]
        self.database = PostgresDatabase(self.postgres.port)
        people = await asyncio.to_thread(migrate_with_people, self._environment(self.database.url), PEOPLE)
        self.tokens = [person["token"] for person in json.loads(people)]
        starting = (
            asyncio.to_thread(Server, self._environment(self.database.url_at(wire.port))) for wire in self.wires
        )
        started = await asyncio.gather(*starting, return_exceptions=True)
        self.servers = [each for each in started if isinstance(each, Server)]
        assert len(self.servers) == SERVERS, f"the servers didn't start: {started}"

    def _environment(self, database_url: str) -> dict[str, str]:
        variables = {"DATABASE_URL": database_url, "REDIS_URL": self.redis.url}
        return environment_for(self.database, **variables, MEDIA_ROOT=str(self.folder / "media"))

    async def __aexit__(self, *error: object) -> None:
        for server in self.servers:
            server.kill()  # a paused one, too
        await self._services.aclose()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sockets(self, first: int) -> list[str]:
        """The servers' websockets, from the `first` on, round about."""
        return [self.server(first + step).socket_address for step in range(SERVERS)]

    def server(self, number: int) -> Server:
        return self.servers[number % SERVERS]

    async def worker_lost(self, server: Server) -> list[str]:
        """Says that the leases of this process will be ended by others; gives their ids."""
        pid = server.running.process.pid
        rows = await asyncio.to_thread(
            self.database.rows, "SELECT id::text FROM chats_worker WHERE pid = ? AND ended_at IS NULL", pid
        )
        workers = [worker for (worker,) in rows]
        self.lost_workers.update(workers)
        return workers

    def keep_logs(self, folder: Path) -> None:
        """Copies what the servers and PostgreSQL said to `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, server in enumerate(self.servers):
            (folder / f"server-{number}.log").write_text(server.all_output)
        if os.access(self.postgres.log, os.R_OK):
            shutil.copy(self.postgres.log, folder / "postgres.log")
