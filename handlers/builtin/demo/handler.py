"""Shows what an answer can consist of: offline, and always the same for the same words.

Owns the choice of a scene by the request's first word. The scenes are in handlers.builtin.demo.scenes.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from pydantic import BaseModel, Field

from handlers.base import BaseTaskHandler
from handlers.builtin.demo.scenes import SCENES, Stage
from handlers.events import BaseEvent, ContentEvent
from handlers.messages import Message


class DemoHandler(BaseTaskHandler):
    """The request's first word names a scene; any other text gets the list of them."""

    name = "demo"
    label = "Demo"
    description = "Shows every kind of event, without a model: write “complex”, or anything for a list."
    cooperative = True
    examples = ("complex", "streaming", "tool Count the words of this line", "citation")

    class Config(BaseModel):
        """How fast the scenes are."""

        pace: float = Field(1.0, ge=0, le=100, description="All pauses are multiplied by this; 0 leaves them out.")

    def __init__(self, config: Config | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._config = config or self.Config()

    async def handle(self, user_message: Message, **_others: Any) -> AsyncGenerator[BaseEvent, None]:
        word, rest = [*user_message.text.split(maxsplit=1), "", ""][:2]
        scene = SCENES.get(word.lower().strip(".,:!?"))
        if scene is None:
            yield ContentEvent(content=help_text())
            return
        async with aclosing(scene(Stage(rest.strip(), self._config.pace))) as events:
            async for event in events:
                yield event


def help_text() -> str:
    """What the scenes are, as a Markdown list."""
    lines = [f"- `{word}`: {(scene.__doc__ or '').strip().splitlines()[0]}" for word, scene in SCENES.items()]
    return "I'm a demonstration, not a model. Begin your message with one of these words:\n\n" + "\n".join(lines)
