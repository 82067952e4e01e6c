"""What a handler tells those who run it (log lines, metrics), and what they tell it (typed options)."""

import logging
import time
from collections.abc import AsyncGenerator
from typing import Any

from pydantic import BaseModel, Field

from handlers import BaseTaskHandler
from handlers.clients import metrics_client
from handlers.events import BaseEvent, ContentEvent
from handlers.messages import Message
from tests.samples.stepping import TideTables

logger = logging.getLogger(__name__)


class Measured(BaseTaskHandler):
    """Counts and times itself, as the product does anyway; logs, and lets its errors pass."""

    name = "measured"
    description = "Says how high the sea gets, and how long that took to find out."

    class Config(BaseModel):
        """What administrators set."""

        most_places: int = Field(2, ge=1, description="Of one question; the rest is left out.")
        unit: str = Field("m", max_length=10)

    class UserOptions(BaseModel):
        """What a user sets."""

        digits: int = Field(1, ge=0, le=3)

    def __init__(self, tide_tables_client: TideTables, config: Config, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._tables = tide_tables_client
        self._config = config

    async def handle(self, **kwargs: Any) -> AsyncGenerator[BaseEvent, None]:
        logger.info("Asked by %s", kwargs.get("user_id"))
        began = time.monotonic()
        try:
            for place in self._places(kwargs["user_message"]):
                highest = max((await self._tables.heights(place)).values())
                yield ContentEvent(content=f"{place}: {highest:.{kwargs['options'].digits}f} {self._config.unit}\n")
            metrics_client.increment("handler.success", tags={"handler": self.name})
        except Exception as error:
            logger.exception("Failed")
            metrics_client.increment("handler.error", tags={"handler": self.name, "error_type": type(error).__name__})
            raise
        finally:
            metrics_client.histogram("handler.duration", time.monotonic() - began, tags={"handler": self.name})

    def _places(self, message: Message) -> list[str]:
        return message.text.split()[: self._config.most_places]
