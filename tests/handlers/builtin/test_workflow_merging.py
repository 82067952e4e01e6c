"""Several steps at once: nothing lost, each in its order, and none left behind."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.builtin.workflow.merging import Pulse, merged


async def _step(name: int, count: int, pauses: int = 0) -> AsyncGenerator[tuple[int, int], None]:
    for number in range(count):
        for _ in range(pauses):
            await asyncio.sleep(0)
        yield name, number


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=6), st.integers(1, 4))
def test_all_events_come_each_steps_in_its_order(steps: list[tuple[int, int]], at_once: int) -> None:
    async def run() -> list[tuple[int, int]]:
        made = [partial(_step, name, count, pauses) for name, (count, pauses) in enumerate(steps)]
        return [event async for event in merged(made, at_once)]

    events = asyncio.run(run())
    for name, (count, _) in enumerate(steps):
        assert [number for step, number in events if step == name] == list(range(count))
    assert len(events) == sum(count for count, _ in steps)


async def test_a_quick_step_does_not_wait_for_a_slow_one() -> None:
    slow = asyncio.Event()

    async def waits() -> AsyncGenerator[str, None]:
        await slow.wait()
        yield "slow"

    async def quick() -> AsyncGenerator[str, None]:
        yield "quick"

    async with aclosing(merged([waits, quick], 2)) as events:
        assert await anext(events) == "quick"
        slow.set()
        assert await anext(events) == "slow"


@pytest.mark.parametrize("ends", ["closed", "cancelled"])
async def test_when_it_is_left_all_steps_are_ended_and_cleaned_up(ends: str) -> None:
    ended: list[int] = []

    async def step(number: int) -> AsyncGenerator[int, None]:
        try:
            yield number
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    steps: list[Callable[[], AsyncGenerator[int, None]]] = [partial(step, number) for number in range(3)]
    before = asyncio.all_tasks()
    events = merged(steps, 3)
    assert await anext(events) == 0
    if ends == "cancelled":
        reading = asyncio.create_task(_read(events))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait({reading})
    await events.aclose()
    assert sorted(ended) == [0, 1, 2]
    assert asyncio.all_tasks() == before


async def _read(events: AsyncGenerator[int, None]) -> None:
    async for _ in events:
        pass


async def test_a_step_that_raises_ends_the_others_and_is_raised_itself() -> None:
    async def broken() -> AsyncGenerator[int, None]:
        yield 1
        raise KeyError("broken")

    async def endless() -> AsyncGenerator[int, None]:
        await asyncio.Event().wait()
        yield 2

    with pytest.raises(KeyError, match="broken"):
        await _read(merged([broken, endless], 2))


async def test_a_long_silence_is_filled() -> None:
    waiting = asyncio.Event()

    async def waits() -> AsyncGenerator[str, None]:
        await waiting.wait()
        yield "done"

    async with aclosing(merged([waits], 1, Pulse(0.001, lambda: "still here"))) as events:
        assert await anext(events) == "still here"
        waiting.set()
        assert [event async for event in events][-1] == "done"
