"""Who a client behind a proxy is. Pure."""

from collections.abc import Iterable

HEADER = b"x-forwarded-for"


def client_behind(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The address that the last proxy says it was asked from; None where it says none.

    That is the last one of all in X-Forwarded-For: a proxy appends to what it was sent, and what stands before that
    anybody may have written.
    """
    values = [value for name, value in headers if name.lower() == HEADER]
    return values[-1].rpartition(b",")[2].strip().decode("latin-1") or None if values else None
