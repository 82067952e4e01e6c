"""Several steps at the same time, their events as they come."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeVar

Event = TypeVar("Event")
Step = Callable[[], AsyncGenerator[Event, None]]


@dataclass(frozen=True)
class Pulse(Generic[Event]):
    """What is said when nothing has come for so many seconds: a silent run is taken for a dead one."""

    seconds: float
    event: Callable[[], Event]


async def merged(
    steps: Iterable[Step[Event]], at_once: int, pulse: Pulse[Event] | None = None
) -> AsyncGenerator[Event, None]:
    """The events of all steps, each as it comes; at most `at_once` steps run at the same time, the first ones first.

    Closing it, or a step that raises, cancels the others and waits for them. Raises what the first failed step raised.
    """
    arrived: asyncio.Queue[Event | None] = asyncio.Queue()
    room = asyncio.Semaphore(at_once)

    async def drain(step: Step[Event]) -> None:
        async with room, aclosing(step()) as events:
            async for event in events:
                arrived.put_nowait(event)

    async def run_all() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for step in steps:
                    group.create_task(drain(step))
        finally:
            arrived.put_nowait(None)

    running = asyncio.create_task(run_all())
    try:
        while (event := await _next(arrived, pulse)) is not None:
            yield event
        await _result_of(running)
    finally:
        running.cancel()
        await asyncio.wait({running})


async def _next(arrived: asyncio.Queue[Event | None], pulse: Pulse[Event] | None) -> Event | None:
    if pulse is None:
        return await arrived.get()
    try:
        async with asyncio.timeout(pulse.seconds):
            return await arrived.get()
    except TimeoutError:
        return pulse.event()


async def _result_of(running: asyncio.Task[None]) -> None:
    try:
        await running
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
