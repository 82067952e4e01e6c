"""Clients that belong to a loop."""

import asyncio

from handlers.clients.per_loop import PerLoop


class Connection:
    def __init__(self) -> None:
        self.closed = False
        self.loop = asyncio.get_running_loop()  # as real ones do

    async def close(self) -> None:
        self.closed = True


def _per_loop() -> PerLoop[Connection]:
    return PerLoop(Connection, Connection.close)


async def test_a_loop_has_one() -> None:
    connections = _per_loop()
    assert connections.get() is connections.get()


def test_two_loops_have_two() -> None:
    connections = _per_loop()

    async def get() -> Connection:
        return connections.get()

    assert asyncio.run(get()) is not asyncio.run(get())


async def test_closing_closes_this_loops_and_the_next_is_new() -> None:
    connections = _per_loop()
    first = connections.get()
    await connections.close()
    assert first.closed
    assert connections.get() is not first


def test_those_of_closed_loops_are_not_kept() -> None:
    connections = _per_loop()

    async def get() -> None:
        connections.get()

    for _ in range(5):
        asyncio.run(get())
    assert len(connections._clients) == 1
