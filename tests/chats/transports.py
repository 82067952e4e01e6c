"""Connections as a server tells of them (chats.flow)."""

import asyncio

__all__ = ["FullTransport"]


class FullTransport:
    """One on which nothing is read: its buffer stays full, unless `open` is set."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True
