"""A short report over given texts, in steps: outline, gather, write, check.

Owns what may be set, and what is asked of the user when nothing was given. The steps are report.py's.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from django.conf import settings
from pydantic import BaseModel, Field

from handlers.base import BaseTaskHandler
from handlers.builtin.workflow.asking import Asker
from handlers.builtin.workflow.prompts import SYSTEM
from handlers.builtin.workflow.report import Limits, Report
from handlers.builtin.workflow.sources import given_texts, topic_and_text
from handlers.events import BaseEvent, ErrorEvent
from handlers.messages import Message
from handlers.models import available_models

EXAMPLE = """Why is the sea high twice a day, and when is it highest?

The moon's gravity pulls the sea towards it, and a second bulge forms on the far side of the earth. As the earth turns \
below both, most coasts have two high tides in 24 hours and 50 minutes, each about 50 minutes later than the day before.

When sun and moon stand in line, at new and full moon, their pulls add up: these spring tides are the highest. At half \
moon they pull across one another, and the neap tides are low."""
PULSE = 15.0  # seconds
NOTHING_GIVEN = (
    "There is no text to report on. Attach text files or context, or write your question, "
    "an empty line, and the text below it."
)


class WorkflowHandler(BaseTaskHandler):
    """Not `cooperative`: comparing the words of long texts takes a moment in which others shouldn't wait."""

    name = "workflow"
    label = "Report"
    examples = (EXAMPLE,)
    description = "Writes a short report over the texts that you give it, with the passages it rests on, and checks it."

    class Config(BaseModel):
        """What administrators set."""

        max_texts: int = Field(20, ge=1, le=200, description="Texts read for one report; more are named as left out.")
        max_words_per_text: int = Field(50_000, ge=100, description="The rest of a longer text is left out.")
        words_per_request: int = Field(4_000, ge=200, description="Of a text's passages, sent to the model at once.")
        passages_per_section: int = Field(6, ge=1, le=30, description="Passages that a section is written from.")
        at_once: int = Field(4, ge=1, le=32, description="Requests to the model at the same time.")
        temperature: float | None = Field(None, ge=0, le=2, description="The model's own when empty.")
        max_tokens: int = Field(2_000, ge=50, description="The longest answer of the model in one step.")
        revise: bool = Field(True, description="Let the model correct sentences that its passages don't support.")

    class UserOptions(BaseModel):
        """What a user sets for a chat."""

        sections: int = Field(3, ge=1, le=8, title="Sections, at most")
        sentences: int = Field(5, ge=1, le=20, title="Sentences in a section, at most")

    def __init__(self, config: Config | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._config = config or self.Config()

    @classmethod
    def model_ids(cls) -> list[str]:
        return [model.id for model in available_models() if model.available]

    async def handle(
        self,
        *,
        message_history: list[Message],
        user_message: Message,
        model_id: str,
        context: list[dict[str, Any]] | None = None,
        persona: str | None = None,
        options: UserOptions | None = None,
        **_others: Any,
    ) -> AsyncGenerator[BaseEvent, None]:
        given = given_texts(message_history, user_message, context)
        if not given:
            yield ErrorEvent(error_type="nothing_to_read", message=NOTHING_GIVEN)
            return
        topic, _ = topic_and_text(user_message.text)
        mine = self._config
        asker = Asker(
            model_id or settings.WORKBENCH_DEFAULT_MODEL,
            system=[SYSTEM, persona or ""],
            max_tokens=mine.max_tokens,
            temperature=mine.temperature,
        )
        report = Report(topic, given, asker, self._limits(options or self.UserOptions()))
        async with aclosing(report.write_it()) as events:
            async for event in events:
                yield event

    def _limits(self, chosen: UserOptions) -> Limits:
        mine = self._config
        return Limits(
            sections=chosen.sections,
            sentences=chosen.sentences,
            passages=mine.passages_per_section,
            at_once=mine.at_once,
            texts=mine.max_texts,
            words_of_text=mine.max_words_per_text,
            words_of_request=mine.words_per_request,
            revise=mine.revise,
            pulse=min(PULSE, settings.WORKBENCH_IDLE_TIMEOUT / 3),
        )
