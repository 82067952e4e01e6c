"""The questions that one report puts to its model, and what they cost.

Owns when the model is given up: one that isn't there, or is too busy, isn't asked again for this report.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from handlers.errors import ModelError, ModelThrottled, ModelTimedOut, ModelUnavailable
from handlers.events import ContentEvent
from handlers.models import ModelRequest, cost_facts, describe_model, provider_for
from handlers.models.offline import MODEL_ID as OFFLINE
from handlers.models.translation import ModelAnswer


class Asker:
    """Asks one model. `away`: why it isn't asked any more; `usage`: the tokens of all answers, Converse's names.

    `words`: how much the model has said so far, about.
    """

    def __init__(self, model_id: str, *, system: Sequence[str], max_tokens: int, temperature: float | None) -> None:
        self.model_id = model_id
        self.away: ModelError | None = None
        self.usage: Counter[str] = Counter()
        self.label = ""
        self.words = 0
        self._limits: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature}
        self._system = [{"text": text} for text in system if text.strip()]
        try:
            self.label = describe_model(model_id).label
        except ModelUnavailable as error:
            self.away = error

    @property
    def usable(self) -> bool:
        """Whether there is a language model to ask."""
        return self.model_id != OFFLINE and self.away is None

    @property
    def cost(self) -> dict[str, Any]:
        """What all answers together cost, for a MetadataEvent."""
        return cost_facts(self.model_id, self.usage)

    async def ask(self, blocks: Sequence[str]) -> str:
        """The model's whole answer to one request. Raises ModelError."""
        if self.away is not None:
            raise self.away
        answer, said = ModelAnswer(), []
        request = ModelRequest(
            model_id=self.model_id,
            system=self._system,
            messages=[{"role": "user", "content": [{"text": block} for block in blocks]}],
            cache=False,  # no two steps share a beginning
            **self._limits,
        )
        try:
            async with aclosing(provider_for(self.model_id).stream(request)) as stream:
                async for model_event in stream:
                    pieces = [each.content for each in answer.feed(model_event) if isinstance(each, ContentEvent)]
                    said += pieces
                    self.words += sum(len(piece.split()) for piece in pieces)
            answer.require_end()
        except (ModelUnavailable, ModelThrottled, ModelTimedOut) as error:
            self.away = self.away or error
            raise
        finally:
            self.usage.update({name: count for name, count in answer.usage.items() if isinstance(count, int)})
        return "".join(said)
