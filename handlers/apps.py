"""Registers the extension point with Django, and binds its parts: the registry's clients, the system checks."""

from django.apps import AppConfig


class HandlersConfig(AppConfig):
    name = "handlers"
    verbose_name = "Handlers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import handlers.checks  # noqa: F401 - registers them
        from handlers.clients import clients
        from handlers.registry import registry

        registry.clients = clients
