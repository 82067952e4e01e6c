"""The `chat` handler: a conversation with a model."""

from handlers.builtin.chat.handler import ChatHandler

__all__ = ["ChatHandler"]
