"""Registers the composition root with Django and loads its system checks."""

from django.apps import AppConfig


class WorkbenchConfig(AppConfig):
    name = "workbench"
    verbose_name = "Workbench"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from workbench import checks  # noqa: F401  (registers itself)
