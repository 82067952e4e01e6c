"""From a thread to a coroutine: in order, all of it, and never waiting for one another for ever."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from handlers.clients.bridge import CAPACITY, Bridge, Silence


def _in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


async def _everything(bridge: Bridge[int]) -> list[int]:
    taken: list[int] = []
    while (values := await bridge.take(10)) is not None:
        taken += values
    return taken


async def test_all_values_come_in_order_then_the_end() -> None:
    bridge: Bridge[int] = Bridge()

    def put() -> None:
        for number in range(20 * CAPACITY):
            bridge.put(number)
        bridge.end()

    _in_thread(put)
    assert await _everything(bridge) == list(range(20 * CAPACITY))
    assert await bridge.take(1) is None


async def test_an_error_comes_after_what_was_put_before_it() -> None:
    bridge: Bridge[int] = Bridge()
    _in_thread(lambda: (bridge.put(1), bridge.end(ValueError("broken")))).join()  # type: ignore[func-returns-value]
    assert await bridge.take(1) == [1]
    with pytest.raises(ValueError, match="broken"):
        await bridge.take(1)


async def test_a_thread_that_is_ahead_waits() -> None:
    bridge: Bridge[int] = Bridge()
    put: list[int] = []

    def produce() -> None:
        for number in range(3 * CAPACITY):
            bridge.put(number)
            put.append(number)
        bridge.end()

    thread = _in_thread(produce)
    await asyncio.sleep(0.2)
    assert len(put) == CAPACITY
    assert len(await _everything(bridge)) == 3 * CAPACITY
    thread.join(5)


async def test_a_thread_goes_on_when_nobody_takes_any_more() -> None:
    bridge: Bridge[int] = Bridge()
    thread = _in_thread(lambda: [bridge.put(number) for number in range(3 * CAPACITY)] and None)
    await asyncio.sleep(0.05)
    bridge.abandon()
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()


async def test_a_bridge_that_is_abandoned_while_it_fills_holds_no_thread() -> None:
    bridge: Bridge[int] = Bridge()

    class Room(threading.Event):
        def clear(self) -> None:
            bridge.abandon()  # just before
            super().clear()

    bridge._room = Room()
    bridge._room.set()
    thread = _in_thread(lambda: [bridge.put(number) for number in range(2 * CAPACITY)] and None)
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()


async def test_silence_is_said_and_taking_can_go_on() -> None:
    bridge: Bridge[int] = Bridge()
    with pytest.raises(Silence):
        await bridge.take(0.05)
    _in_thread(lambda: bridge.put(1))
    assert await bridge.take(5) == [1]


def test_a_closed_loop_does_not_hold_the_thread() -> None:
    async def make() -> Bridge[int]:
        return Bridge()

    bridge = asyncio.run(make())
    thread = _in_thread(lambda: [bridge.put(number) for number in range(3 * CAPACITY)] and None)
    thread.join(5)
    assert not thread.is_alive()
