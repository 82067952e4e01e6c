"""How a blocking request to AWS is ended from another thread, in each of its phases.

    queued, or waiting for credentials   `before-send` and the connection refuse to send it
    connecting                           the connection refuses when it is made
    sent, no headers yet                 the connection's socket is shut down
    the answer streams, or stalls        urllib3's HTTPResponse.shutdown()

In the last two the reading thread gets an end of file at once and closes the connection, so the service sees it close,
and the bill stops. `close()` from another thread would wait for a stalled stream instead.

Note [The SDK's connections]: a request before its headers can only be reached by its socket, which botocore doesn't
show. So the connection classes of its HTTP session, which are private, are replaced by ones that tell. Should they be
gone in some version, that phase lasts until the read time-out, a warning says so, and tests fail.
"""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

logger = logging.getLogger(__name__)


class Stopped(Exception):
    """The request was stopped by us."""


class StoppableRequest:
    """One request, made in one thread (`with in_this_thread(request)`) and stopped from any."""

    def __init__(self) -> None:
        self.stopped = False
        self._lock = threading.Lock()
        self._connection: Any = None
        self._body: Any = None

    def require_wanted(self) -> None:
        """Raises Stopped when nobody wants it any more."""
        if self.stopped:
            raise Stopped

    def uses(self, connection: Any) -> None:
        """It is about to be sent on this connection. Raises Stopped."""
        with self._lock:
            self.require_wanted()
            self._connection = connection

    def receives(self, body: Any) -> None:
        """Its headers are there; `body` is urllib3's response. Raises Stopped."""
        with self._lock:
            self._body = body
            self.require_wanted()

    def done(self) -> None:
        """Its connection is another's now."""
        with self._lock:
            self._connection = self._body = None

    def stop(self) -> None:
        """End it, from any thread and at once; nothing happens when it is over, or not begun."""
        with self._lock:
            self.stopped = True
            if self._body is not None:
                # Raises when the body was read to its end, or closed, this very moment.
                with suppress(OSError, RuntimeError, ValueError):
                    self._body.shutdown()
            elif self._connection is not None and self._connection.sock is not None:
                with suppress(OSError):
                    self._connection.sock.shutdown(socket.SHUT_RDWR)


class _ThisThread(threading.local):
    request: StoppableRequest | None = None


_this_thread = _ThisThread()


@contextmanager
def in_this_thread(request: StoppableRequest) -> Iterator[None]:
    """While it lasts, what this thread sends belongs to `request`."""
    _this_thread.request = request
    try:
        yield
    finally:
        _this_thread.request = None
        request.done()


def make_stoppable(client: Any) -> None:
    """Have a boto3 client's requests be stoppable, and never sent twice when the first may have been answered."""
    events, service = client.meta.events, client.meta.service_model.service_id.hyphenize()
    events.register_first(f"before-send.{service}", _before_send)
    events.register_first(f"response-received.{service}", _response_received)
    events.register_first(f"needs-retry.{service}", _needs_retry)
    try:
        pool_classes = client._endpoint.http_session._pool_classes_by_scheme
        for scheme, pool_class in list(pool_classes.items()):
            pool_classes[scheme] = _watched(pool_class)
    except AttributeError:
        # See Note [The SDK's connections].
        logger.warning("This version of botocore hides its connections: a cancel takes effect at the first byte only.")


def _before_send(**_: Any) -> None:
    if request := _this_thread.request:
        request.require_wanted()


def _response_received(response_dict: dict[str, Any] | None = None, **_: Any) -> None:
    request, body = _this_thread.request, (response_dict or {}).get("body")
    if request and hasattr(body, "shutdown"):
        request.receives(body)


def _needs_retry(response: Any = None, operation: Any = None, caught_exception: Any = None, **_: Any) -> None:
    """Raises what happened in place of a retry, where there must be none: of a stoppable request, which is retried by
    whoever made it, and of one whose answer didn't come in time, which would be billed again."""
    from botocore.exceptions import ClientError, ReadTimeoutError

    if isinstance(caught_exception, ReadTimeoutError):
        raise caught_exception
    if _this_thread.request is None:
        return
    if caught_exception is not None:
        raise caught_exception
    http_response, parsed = response
    if http_response.status_code >= 300:
        raise ClientError(parsed, operation.name)


def _watched(pool_class: Any) -> Any:
    """A connection pool class whose connections tell which request uses them."""
    connection_class: Any = pool_class.ConnectionCls

    class WatchedConnection(connection_class):
        def connect(self) -> None:
            super().connect()
            if request := _this_thread.request:
                request.require_wanted()

        def request(self, *args: Any, **kwargs: Any) -> Any:
            if request := _this_thread.request:
                request.uses(self)
            return super().request(*args, **kwargs)

    return type(pool_class.__name__, (pool_class,), {"ConnectionCls": WatchedConnection})
