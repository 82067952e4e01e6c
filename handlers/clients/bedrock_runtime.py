"""The client of Bedrock's runtime: boto3's own, and streams of it for event loops.

    call = client.converse({"modelId": …, "messages": […]})
    try:
        while (events := await call.take(patience)) is not None: ...
    finally:
        call.stop()

Owns the threads in which boto3 waits, and the end of a stream that nobody wants any more. Requests and events are
boto3's; what they mean is handlers.models.bedrock's.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from django.conf import settings

from handlers.clients.aws import AwsClient
from handlers.clients.bridge import Bridge, Silence
from handlers.clients.failures import CallFailed, failure_of
from handlers.clients.stopping import StoppableRequest, in_this_thread, make_stoppable


class BedrockRuntimeClient(AwsClient):
    """Bedrock's runtime. As many streams and calls at once as the process takes runs (WORKBENCH_MAX_RUNS)."""

    def __init__(self) -> None:
        super().__init__("bedrock-runtime")
        self._streams: WeakSet[ConverseCall] = WeakSet()

    @property
    def threads(self) -> int:  # type: ignore[override]
        return int(settings.WORKBENCH_MAX_RUNS)

    def _make(self) -> Any:
        client = super()._make()
        make_stoppable(client)
        return client

    def converse(self, request: Mapping[str, Any]) -> "ConverseCall":
        """Begin a ConverseStream request, on this event loop. Whoever begins it has to `stop` it."""
        call = ConverseCall(self, request)
        self._streams.add(call)
        return call

    def close(self) -> None:
        for call in list(self._streams):
            call.stop()
        super().close()


class ConverseCall:
    """One ConverseStream request. Nothing in it is retried."""

    def __init__(self, client: BedrockRuntimeClient, request: Mapping[str, Any]) -> None:
        self._bridge: Bridge[Any] = Bridge()
        self._request = StoppableRequest()
        self._work = client.pool.submit(self._run, client, request)

    async def take(self, patience: float) -> list[dict[str, Any]] | None:
        """The events that have come, at least one; None at the end.

        Raises CallFailed, also when nothing comes for `patience` seconds.
        """
        try:
            return await self._bridge.take(patience)
        except Silence:
            raise CallFailed("silent", f"nothing came for {patience:g} seconds") from None

    def stop(self) -> None:
        """End the request wherever it is, from any thread; nothing happens when it is over."""
        self._work.cancel()
        self._bridge.abandon()
        self._request.stop()

    # --- in a thread of the pool

    def _run(self, client: BedrockRuntimeClient, request: Mapping[str, Any]) -> None:
        try:
            self._request.require_wanted()
            sdk_client = client.get_now()
            with in_this_thread(self._request):
                self._read(sdk_client.converse_stream(**request)["stream"])
        except Exception as error:  # noqa: BLE001 - handed over, whatever it is
            stopped = CallFailed("stopped", "the request was stopped") if self._request.stopped else None
            self._bridge.end(stopped or failure_of(error) or error)
        else:
            self._bridge.end()

    def _read(self, stream: Any) -> None:
        try:
            for event in stream:
                self._request.require_wanted()
                self._bridge.put(event)
        finally:
            with suppress(OSError):
                stream.close()


__all__ = ["BedrockRuntimeClient", "CallFailed", "ConverseCall"]
