"""Handlers and things that look like handlers, for the tests of what loads, makes and calls them."""

from collections.abc import AsyncGenerator
from typing import Any

from pydantic import BaseModel, Field, SecretStr, field_validator

from handlers import BaseTaskHandler
from handlers.events import BaseEvent, ContentEvent
from handlers.messages import Message


class Greeter(BaseTaskHandler):
    name = "greeter"
    description = "Greets, politely."

    async def handle(self, user_message: Message, **_others: Any) -> AsyncGenerator[BaseEvent, None]:
        yield ContentEvent(content=f"Hello! You said: {user_message.text}")


class OtherGreeter(Greeter):
    description = "Has a name that is taken."


class PropertyNamed(Greeter):
    @property
    def name(self) -> str:
        return "property_named"


class NamedInConstructor(Greeter):
    def __init__(self) -> None:
        super().__init__()
        self._name = "late"

    @property
    def name(self) -> str:
        return self._name


class Nameless(BaseTaskHandler):
    description = "Lacks a name."

    async def handle(self) -> AsyncGenerator[BaseEvent, None]:
        yield ContentEvent(content="")


class ReturnsText(BaseTaskHandler):
    name = "returns_text"
    description = "Returns instead of yielding."

    async def handle(self) -> str:  # type: ignore[override]
        return "text"


class WantsTooMuch(BaseTaskHandler):
    name = "wants_too_much"
    description = "Requires what nobody gives."

    async def handle(self, weather: str) -> AsyncGenerator[BaseEvent, None]:
        yield ContentEvent(content=weather)


class Configured(Greeter):
    name = "conf-igured"

    class Config(BaseModel):
        """Options of each sort that the environment may give."""

        max_items: int = Field(5, ge=1)
        tags: list[str] = []
        endpoint: str = "https://api.example.org"
        secret: SecretStr = SecretStr("")

    class UserOptions(BaseModel):
        """One option, with a rule of its own."""

        length: int = Field(100, le=1000)

        @field_validator("length")
        @classmethod
        def _even(cls, value: int) -> int:
            if value % 2:
                raise ValueError("must be even")
            return value

    def __init__(self, config: Config, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = config


class NeedsSearch(Greeter):
    name = "needs_search"

    def __init__(self, opensearch_client: Any, bedrock_runtime_client: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.opensearch, self.bedrock = opensearch_client, bedrock_runtime_client


class FailsToStart(Greeter):
    name = "fails_to_start"

    def __init__(self) -> None:
        raise RuntimeError("secret reason")


NOT_A_HANDLER = 42
