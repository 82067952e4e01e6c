"""The ASGI application: Django for HTTP, the chat socket for websockets, and the engine's start under any server.

`manage.py serve` starts and stops the engine itself. Under a plain server (daphne, uvicorn) nothing else would: there
the first request starts it, or the lifespan protocol where the server speaks it, which can stop it too.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workbench.settings")
django_application = get_asgi_application()  # loads the apps: what follows imports their models

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import re_path  # noqa: E402

from chats.engine import get_engine  # noqa: E402
from chats.routing import websocket_urlpatterns  # noqa: E402
from workbench.bodies import Application, bounded  # noqa: E402

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def refuse_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """A websocket at an address that has none: a bare 403 (ASGI's close before accept), and no trace in the log."""
    await receive()
    await send({"type": "websocket.close"})


async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """Start the engine before the first request; at shutdown drain it and stop it."""
    await receive()
    await sync_to_async(get_engine().start)()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await get_engine().drain(settings.WORKBENCH_SHUTDOWN_GRACE)
    await sync_to_async(get_engine().stop)()
    await send({"type": "lifespan.shutdown.complete"})


nowhere: Any = re_path("", refuse_socket)  # type: ignore[arg-type]  # channels' routes hold ASGI applications

routes = ProtocolTypeRouter(
    {
        "http": bounded(cast("Application", django_application)),
        "websocket": URLRouter([*websocket_urlpatterns, nowhere]),
        "lifespan": lifespan,
    }
)


class EngineStarter:
    """Starts the engine when the first request arrives. Starting it twice is harmless; `start` says so itself."""

    def __init__(self, application: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.application = application
        self.started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.started:
            await sync_to_async(get_engine().start)()
            self.started = True
        await self.application(scope, receive, send)


application = EngineStarter(routes)
