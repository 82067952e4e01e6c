"""`manage.py check_clients`: whether the services that are configured answer, and what the others lack."""

import asyncio
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from handlers.clients import clients


class Command(BaseCommand):
    help = "Ask every configured client's service whether it answers. Ends with an error if one doesn't."

    def handle(self, *args: Any, **options: Any) -> None:
        health = asyncio.run(clients.check_health())
        for name in clients.names():
            if name not in health:
                self.stdout.write(f"  {name}: not configured ({clients.availability(name).reason})")
            elif health[name].available:
                self.stdout.write(self.style.SUCCESS(f"  {name}: ok"))
            else:
                self.stdout.write(self.style.ERROR(f"  {name}: {health[name].reason}"))
        failing = [name for name, found in health.items() if not found.available]
        clients.close_all()
        if failing:
            raise CommandError(f"Not answering: {', '.join(failing)}.")
