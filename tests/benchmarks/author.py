"""A handler that writes as models write: Markdown of every kind, in as many pieces as it is asked for."""

import asyncio
import time
from collections.abc import AsyncGenerator

from handlers.base import BaseTaskHandler
from handlers.events import BaseEvent, ContentEvent, ToolCallEvent, ToolReturnEvent
from handlers.messages import Message

SECTION = """## Section {number}: what a queue of bounded length is for

A queue between *producer* and **consumer** evens out their speeds; its bound is what keeps a burst from becoming a
memory problem [1]. Little's law says $L = \\lambda W$: at {number}0 requests a second that wait 0.2 s there are always
$L = {number}0 \\times 0.2$ of them in it. See [the manual](https://example.org/queues/{number}) and `queue.Queue`.

1. The producer calls `put`, which waits while the queue is full
   - with a deadline, so that a stuck consumer is found out
   - and never on the event loop's thread
2. The consumer takes what is there, in batches of up to {number}
3. What can't be handled goes back **once**, then aside

| Bound | p50 (ms) | p99 (ms) | dropped |
|------:|---------:|---------:|--------:|
| 10 | 1.{number} | 14 | 3 % |
| 100 | 2.1 | 41 | 0.2 % |
| 1000 | 2.2 | 390 | none |

```python
async def consume(queue: asyncio.Queue[Job], limit: int = {number}) -> None:
    while True:
        jobs = [await queue.get()]
        while len(jobs) < limit and not queue.empty():
            jobs.append(queue.get_nowait())
        await asyncio.gather(*(job.run() for job in jobs))
```

> A queue that is never full is too long, and one that is always full is too short for a reason outside of it.

"""


def document(characters: int) -> str:
    """That many characters of Markdown."""
    sections = (SECTION.replace("{number}", str(number)) for number in range(1, characters // 500 + 2))
    return "".join(sections)[:characters]


class MarkdownAuthor(BaseTaskHandler):
    """`20000 2000 250` asks for 20,000 characters in 2,000 pieces, 250 of them a second."""

    name = "benchmark-author"
    description = "Writes Markdown for the page's benchmark."
    cooperative = True

    async def handle(self, user_message: Message) -> AsyncGenerator[BaseEvent, None]:
        characters, pieces, per_second = (int(word) for word in user_message.text.split())
        text = document(characters)
        call = ToolCallEvent(tool_name="search", tool_args={"query": "bounded queues"})
        yield call
        yield ToolReturnEvent(tool_name="search", tool_id=call.tool_id, result={"found": 3})
        began = time.monotonic()
        for number in range(pieces):
            yield ContentEvent(content=text[number * len(text) // pieces : (number + 1) * len(text) // pieces])
            await asyncio.sleep(max(0.0, began + (number + 1) / per_second - time.monotonic()))
