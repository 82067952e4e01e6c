"""`manage.py list_models`: what this installation can answer with, and why not where it can't."""

from typing import Any

from django.core.management.base import BaseCommand

from handlers.models import available_models
from handlers.registry import registry


class Command(BaseCommand):
    help = "List the handlers and the models, whether each is available, and if not, why."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("Handlers:")
        for name in registry.names():
            availability = registry.availability(name)
            self._line(name, availability.available, availability.words)
        self.stdout.write("Models:")
        for model in available_models():
            self._line(model.id, model.available, model.reason)

    def _line(self, name: str, available: bool, reason: str | None) -> None:
        self.stdout.write(f"  {name:<20} {'available' if available else f'not available: {reason}'}")
