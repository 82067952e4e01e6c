"""`manage.py serve`: the server, with the engine that runs answers."""

import errno
import gc
import logging
import os
import socket
import sys
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.checks import CRITICAL
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

BACKLOG = 1024  # connections that wait to be accepted, after a restart all clients come back at once
THREADS_END = 2.0  # seconds

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Serve pages, API and websockets, and run answers, until SIGTERM or Ctrl-C."
    requires_system_checks: list[str] = []  # run in `handle`, which goes on where one handler is at fault

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen at (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen at (8000; 0 takes a free one)")

    def handle(self, *args: Any, **options: Any) -> None:
        self.check(fail_level=CRITICAL)
        refuse_unapplied_migrations()
        listening = listen(options["host"], options["port"])
        # Imported here: they install twisted's reactor and load the whole site.
        from chats.engine import get_engine
        from workbench.asgi import routes
        from workbench.server import WorkbenchServer
        from workbench.shutdown import GracefulStop

        engine = get_engine()
        try:
            engine.start()
        except DatabaseError as error:
            raise CommandError(f"The database can't be written to (DATABASE_URL): {error}") from error
        collect_garbage_seldom()
        stop = GracefulStop(engine, settings.WORKBENCH_SHUTDOWN_GRACE)
        address = address_of(listening)
        WorkbenchServer(
            routes,
            listening,
            on_ready=lambda: self.say(f"Listening at {address} (Ctrl-C stops)"),
            on_signal=stop.signalled,
            trust_proxy=settings.WORKBENCH_TRUST_PROXY,
        ).run()
        self.say("Stopped.")
        exit_for_good(1 if stop.failed else 0)

    def say(self, line: str) -> None:
        """One line at once, also into a pipe."""
        self.stdout.write(line)
        self.stdout.flush()


def collect_garbage_seldom() -> None:
    """A full collection halts all streams: 60 ms for the program alone, and at 500 streams every other second.

    What is loaded by now stays for good and is left out; the rest is looked at every 10,000 objects, not every 700.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def refuse_unapplied_migrations() -> None:
    """Raise CommandError when the database can't be reached or isn't at this version's schema."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise CommandError(f"The database can't be used (DATABASE_URL): {error}") from error
    finally:
        connection.close()
    if missing:
        names = ", ".join(str(migration) for migration, _ in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise CommandError(f"The database isn't up to date ({names}{more} not applied). Run: manage.py migrate")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; CommandError with what to do if there can't be one."""
    if not 0 <= port <= 65535:  # getaddrinfo would take another number for it
        raise CommandError(f"Can't listen at {host}, port {port}: ports go from 1 to 65535 (0 takes a free one).")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno == errno.EADDRINUSE:
            reason = "the port is in use. Stop what uses it, or choose another with --port"
        raise CommandError(f"Can't listen at {host}, port {port}: {reason}.") from error
    listening.setblocking(False)
    return listening


def address_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def exit_for_good(code: int) -> None:
    """Leave, also when a thread won't: a handler that blocks can't be stopped, and Python would wait for it."""
    last_resort = threading.Timer(THREADS_END, leave_threads_behind, [code])
    last_resort.daemon = True
    last_resort.start()
    sys.exit(code)


def leave_threads_behind(code: int) -> None:
    logger.warning("Left without: %s", ", ".join(t.name for t in threading.enumerate() if not t.daemon))
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)
