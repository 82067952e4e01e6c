"""The extension point of Chat Workbench: handlers, the events they yield, the messages they are given.

Knows nothing of chats, stores and sockets. docs/handlers.md teaches it.
"""

from handlers.base import BaseTaskHandler

__all__ = ["BaseTaskHandler"]
