"""What a model is told of the chat: all of it, or as many of its newest messages as the model can read.

Owns the cut for one answer, the summary in place of what is left out, and what the user and the audit are told of it.
How much a message weighs is handlers.models.budget's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from handlers.builtin.chat.summary import SUMMARY_TOKENS, Summariser, Summary
from handlers.events import BaseEvent, ErrorEvent, StatusEvent
from handlers.messages import CustomPart, Message
from handlers.models import ModelDescription, ModelMessage
from handlers.models.attachments import Untold
from handlers.models.budget import Cut, cut_history, message_tokens, room_for_history, text_tokens, turn_tokens
from handlers.models.conversation import to_conversation
from handlers.models.history import context_text

FILE_SHARE = 0.6  # of what a model reads is the most for the attached texts of one message
SUMMARY_TITLE = "Summary of the earlier messages of this chat, which aren't shown any more"


class HistoryCutEvent(BaseEvent):
    """For the audit, and for the next answer: a request left out the oldest messages. Without one, all were sent.

    `messages_sent` counts those of the chat before the question; `estimated_tokens` is of the whole request,
    `context_tokens` what the model is taken to read, which is less than its provider says when it was `refused`.
    `summary` stood for the messages up to `summary_through`.
    """

    type = "history_cut"
    emit: bool = False

    messages_sent: int
    messages_left_out: int
    first_message_id: str
    estimated_tokens: int
    context_tokens: int
    refused: bool = False
    summary: str = ""
    summary_through: str = ""


class ToldHistory:
    """The chat before and with the question, for the requests of one answer.

    `tokens` and `cut` are of the last request that was prepared.
    """

    def __init__(
        self,
        history: Sequence[Message],
        question: Message,
        context: Iterable[Mapping[str, Any]] | None,
        *,
        model: ModelDescription,
        limit: int,
        max_tokens: int | None,
        summariser: Summariser | None = None,
    ) -> None:
        self._history = history
        self._question = question
        self._context = list(context or [])
        self._model = model
        self._max_tokens = max_tokens
        self._summariser = summariser
        last = _last_cut(history, model.id)
        self._last_first, self._last_limit = str(last.get("first_message_id", "")), last.get("context_tokens")
        self._summary = Summary.of(_last_cut(history))
        self._prepared: tuple[str, bool, list[ModelMessage]] | None = None
        self._sizes: dict[tuple[str, bool], int] = {}
        self._audited: HistoryCutEvent | None = None
        self._refused = bool(last.get("refused"))
        self.limit = min(limit, int(last["context_tokens"])) if self._refused else limit
        self._untold: list[Untold] = []
        self._file_share = FILE_SHARE
        self._shortened = False
        self.tokens = 0
        self.cut = Cut(kept=list(history), left_out=[], tokens=0)

    async def prepare(self, *, fixed: int, tools: bool, turns: Sequence[ModelMessage]) -> list[ModelMessage]:
        """The turns of the next request: of the chat, and then `turns`, which the answer has gone through so far.

        `fixed`: tokens of the instructions and the tools.
        """
        fixed += self._asked_tokens() + turn_tokens(turns) + (SUMMARY_TOKENS if self._summariser else 0)
        room = room_for_history(self.limit, fixed=fixed, max_tokens=self._max_tokens)
        last_cut = self._last_first if self._last_limit == self.limit else ""
        self.cut = cut_history(self._history, room, lambda message: self._size(message, tools), last_cut=last_cut)
        self._last_first, self._last_limit = self._first_id(), self.limit
        self.tokens = fixed + self.cut.tokens
        if self._summariser and self.cut.left_out:
            self._summary = await self._summariser.updated(self._summary, self.cut.left_out)
        return [*await self._told(tools), *turns]

    @property
    def room_left(self) -> int:
        """Tokens that a turn more may add without anything's being left out for it, or after that."""
        return max(0, self.limit - (self.tokens - self.cut.tokens))

    def shorten(self, told_limit: int | None) -> bool:
        """After a refusal: have the next request at most half as long, and after one more without the question's own
        attachments. False when nothing more can be left out."""
        if self._shortened or not self.cut.kept:
            return self._leave_out_files()
        self._shortened = True
        self.limit = min(self.tokens // 2, (told_limit or self.limit) * 9 // 10)
        self._refused = True
        return True

    def _leave_out_files(self) -> bool:
        """The question's own: how long they are nobody knew, and nothing else is left that could be."""
        if not self._file_share or all(part.kind == "text" for part in self._question.parts):
            return False
        self._file_share, self._prepared = 0.0, None
        return True

    # --- what is told of it

    @property
    def facts(self) -> dict[str, Any]:
        """For the answer's metadata: what the last request was made without, if anything."""
        if not self.cut.left_out:
            return {}
        summarised = {"messages_summarised": True} if self._is_summarised else {}
        return {"messages_left_out": len(self.cut.left_out), **summarised}

    def audit(self) -> HistoryCutEvent | None:
        """For the request just prepared; None when it has the whole chat, or no other part of it than the last one."""
        if not self.cut.left_out:
            return None
        summary = self._summary if self._summariser else Summary()
        event = HistoryCutEvent(
            messages_sent=len(self.cut.kept),
            messages_left_out=len(self.cut.left_out),
            first_message_id=self._first_id(),
            estimated_tokens=self.tokens,
            context_tokens=self.limit,
            refused=self._refused,
            summary=summary.text,
            summary_through=summary.through,
        )
        if self._audited and self._audited.first_message_id == event.first_message_id:
            return None
        self._audited = event
        return event

    def unread(self) -> ErrorEvent | None:
        """For the user: what of the question's attachments the model isn't given. It answers all the same."""
        if not self._untold:
            return None
        words = " ".join(untold.words for untold in self._untold)
        return ErrorEvent(error_type="attachment_unread", message=words)

    def status(self) -> StatusEvent:
        """For the user."""
        count = len(self.cut.left_out)
        which = "its oldest message was" if count == 1 else f"its {count:,} oldest messages were"
        how = "replaced by a summary" if self._is_summarised else "left out"
        return StatusEvent(
            status="history_cut", message=f"This chat is longer than the model can read; {which} {how} for this answer."
        )

    # ---

    @property
    def _is_summarised(self) -> bool:
        return bool(self._summariser and self.cut.left_out and self._summary.text)

    def _first_id(self) -> str:
        """Of the first message that is told; nothing is told but the question when it is the question's."""
        return self.cut.kept[0].id if self.cut.kept else self._question.id

    def _size(self, message: Message, tools: bool) -> int:
        """Weighed once for all turns of the answer: a megabyte takes 20 ms."""
        if (message.id, tools) not in self._sizes:
            self._sizes[message.id, tools] = message_tokens(message, self._model, tools=tools)
        return self._sizes[message.id, tools]

    def _asked_tokens(self) -> int:
        context = sum(text_tokens(context_text(item)) for item in self._context)
        return context + message_tokens(self._question, self._model)

    async def _told(self, tools: bool) -> list[ModelMessage]:
        first = self._first_id()
        if self._prepared is None or self._prepared[:2] != (first, tools):
            self._untold = []
            turns = await to_conversation(
                self.cut.kept,
                self._question,
                self._context,
                model=self._model,
                tools=tools,
                untold=self._untold,
                room=int(self.limit * self._file_share),
            )  # reads attachments: not done again for each turn of an answer
            self._prepared = first, tools, turns
        return self._with_summary(self._prepared[2])

    def _with_summary(self, turns: list[ModelMessage]) -> list[ModelMessage]:
        if not (self._is_summarised and turns):
            return turns
        told = context_text({"title": SUMMARY_TITLE, "content": self._summary.text})
        return [{"role": "user", "content": [{"text": told}, *turns[0]["content"]]}, *turns[1:]]


def _last_cut(history: Sequence[Message], model_id: str | None = None) -> Mapping[str, Any]:
    """The fields of the chat's last HistoryCutEvent; with a model's id, of the last one in an answer of that model."""
    for message in reversed(history):
        if model_id not in {None, message.model_id}:
            continue
        for part in reversed(message.parts):
            if isinstance(part, CustomPart) and part.hidden and part.type == HistoryCutEvent.type:
                return part.fields
    return {}
