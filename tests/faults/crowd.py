"""The people of one run: who asks what, who watches where, and what they must hold in the end.

Owns their behaviour, from the plan's seed: a ring of pairs that shows whether every process works and hears of the
next one's answers, and visitors who ask one thing after the other wherever they are let in.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from random import Random
from typing import Any, Self
from urllib.parse import urlsplit

from tests.faults.answers import Answer, Breach
from tests.faults.listeners import Listener
from tests.faults.people import PATIENCE, Person, until
from tests.faults.plans import SERVERS, TASKS, Plan, endless_order, short_order
from tests.faults.recital import Order
from tests.faults.stage import Stage

__all__ = ["STUCK_AFTER", "Crowd", "Link"]

STUCK_AFTER = 60.0  # seconds without an end after which an answer counts as stuck
RING, WALKER, READER, TABS = range(4)  # the stage's people


class Link:
    """Somebody who always has an answer running on one process, and whoever watches it on the next."""

    def __init__(self, asker: Person, watcher: Person, random: Random) -> None:
        self.asker, self.watcher = asker, watcher
        self._random = random
        self.closing = False
        self.closed = asyncio.Event()  # nothing of it runs any more
        self.asked: Answer | None = None
        self.watched: Answer | None = None

    async def live(self) -> None:
        try:
            while not self.closing:
                self.watched = None
                self.asked = await self.asker.insist(endless_order(self._random), self._random.choice(TASKS))
                self.watched = await self.watcher.watch(self.asked.response_id, self.asked.order)
                await self.asked.ended.wait()
        finally:
            self.closed.set()

    @property
    def runs(self) -> bool:
        """Whether there is an answer, and its watcher gets what isn't stored of it: by the live way alone."""
        return (
            self.asked is not None
            and self.watched is not None
            and not self.asked.ended.is_set()
            and self.watched.unstored > 0
        )


class Crowd:
    """`async with Crowd(stage, plan) as crowd`: everybody is there and something is streaming to each of them."""

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self.stage = stage
        self._plan = plan
        self._there = AsyncExitStack()
        self._living: list[asyncio.Task[None]] = []
        self._leaving = False
        self.cancelled: set[str] = set()
        self.breaches: list[Breach] = []

    async def __aenter__(self) -> Self:
        self.links = [await self._link(number) for number in range(SERVERS)]
        self.stoppers = [await self._person(RING, number, roams=False) for number in range(SERVERS)]
        self.walkers = [await self._person(WALKER, number) for number in range(2)]
        self.tabs = [await self._person(WALKER, number + 1) for number in range(2)]
        # Watches nothing: what it is refused can't be taken for a subscription's refusal.
        self.remote = await self._person(WALKER, 2)
        addresses = [self.stage.server(number).address for number in (2, 0, 1)]
        self.reader = await self._there.enter_async_context(Listener(*addresses, token=self.stage.tokens[READER]))
        for link in self.links:
            self._begin(link.live())
        for number, (walker, tab) in enumerate(zip(self.walkers, self.tabs, strict=True)):
            self._begin(self._walk(walker, tab, self._plan.person(f"walker {number}")))
        self._begin(self._read(self._plan.person("reader")))
        await until(lambda: self.broken or all(link.runs for link in self.links), STUCK_AFTER)
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._living:
            task.cancel()
        if self._living:
            await asyncio.wait(self._living)
        await self._there.aclose()

    async def _link(self, number: int) -> Link:
        asker = await self._person(RING, number, roams=False)
        watcher = await self._person(RING, number + 1, roams=False)
        return Link(asker, watcher, self._plan.person(f"link {number}"))

    async def _person(self, who: int, server: int, *, roams: bool = True) -> Person:
        urls = self.stage.sockets(server)
        return await self._there.enter_async_context(
            Person(*(urls if roams else urls[:1]), token=self.stage.tokens[who])
        )

    def _begin(self, life: Coroutine[Any, Any, None]) -> None:
        self._living.append(asyncio.create_task(life))

    # What they do

    async def _walk(self, walker: Person, tab: Person, random: Random) -> None:
        chat: dict[str, str] = {}
        while not self._leaving:
            asked = await walker.insist(short_order(random), random.choice(TASKS), **chat)
            chat = {"chat_id": asked.chat_id} if random.random() < 0.5 else {}
            if random.random() < 0.5:
                await asyncio.sleep(random.uniform(0, 1))
                await tab.watch(asked.response_id, asked.order)
            if random.random() < 0.2:
                await self.cancel(self.remote, asked.response_id)
            await until(asked.ended.wait, STUCK_AFTER)

    async def _read(self, random: Random) -> None:
        while not self._leaving:
            async with asyncio.timeout(STUCK_AFTER):
                await self.reader.hear(short_order(random), random.choice(TASKS))

    async def cancel(self, who: Person, response_id: str) -> None:
        """Asks for a cancel once; who has to be sure asks again."""
        self.cancelled.add(response_id)
        await who.cancel(response_id)

    async def stop(self, answer: Answer, who: Person, patience: float = STUCK_AFTER) -> None:
        """Has an answer cancelled by `who`, who follows it or not, and waits for its end."""
        async with asyncio.timeout(patience):
            while not answer.ended.is_set():
                await self.cancel(who, answer.response_id)
                await asyncio.wait({asyncio.ensure_future(answer.ended.wait())}, timeout=3)

    async def _close(self, link: Link, who: Person) -> None:
        """Has the link's answer cancelled, also one that it was just about to ask for."""
        async with asyncio.timeout(STUCK_AFTER):
            while not link.closed.is_set():
                if link.asked is not None and not link.asked.ended.is_set():
                    await self.stop(link.asked, who)
                await asyncio.sleep(0.05)

    def cut_off(self) -> None:
        """All who can go elsewhere lose their connection."""
        for person in (*self.walkers, *self.tabs, self.reader):
            person.lose_connection()

    async def finish(self) -> None:
        """Lets everybody come to an end. What doesn't in time is stuck."""
        self._leaving = True
        stopping = []
        for number, link in enumerate(self.links):
            link.closing = True
            stopping.append(self._close(link, self.stoppers[(number + 2) % SERVERS]))
        outcomes = await asyncio.gather(*stopping, return_exceptions=True)
        self.breaches += [Breach("stuck", f"a cancel has no effect ({each!r})") for each in outcomes if each]
        await asyncio.wait(self._living, timeout=STUCK_AFTER)
        self.breaches += self.broken
        try:
            await until(lambda: all(answer.ended.is_set() for _, answer in self.answers()), PATIENCE)
        except TimeoutError:
            unended = [(who, answer.response_id) for who, answer in self.answers() if not answer.ended.is_set()]
            self.breaches.append(Breach("stuck", f"no end came of {unended}"))

    @property
    def broken(self) -> list[Breach]:
        """What became of those whose life hit a wall."""
        return [
            Breach("stuck" if isinstance(task.exception(), TimeoutError) else "ended", repr(task.exception()))
            for task in self._living
            if task.done() and not task.cancelled() and task.exception() is not None
        ]

    def _everybody(self) -> dict[str, Person | Listener]:
        everybody: dict[str, Person | Listener] = {"reader": self.reader}
        for number, link in enumerate(self.links):
            everybody |= {f"asker {number}": link.asker, f"watcher {number}": link.watcher}
        for number, (walker, tab) in enumerate(zip(self.walkers, self.tabs, strict=True)):
            everybody |= {f"walker {number}": walker, f"tab {number}": tab}
        return everybody

    def answers(self) -> list[tuple[str, Answer]]:
        """Everything that anybody holds, and who."""
        return [(name, answer) for name, who in self._everybody().items() for answer in who.answers.values()]

    def answers_elsewhere(self, address: str) -> list[Answer]:
        """What those hold who aren't at this server's address ("": all)."""
        there = [who for who in self._everybody().values() if not address or urlsplit(who.url).netloc != address]
        return [answer for who in there for answer in who.answers.values()]

    def orders(self) -> dict[str, Order]:
        """What was ordered, by response."""
        return {answer.response_id: answer.order for _, answer in self.answers() if answer.order is not None}
