"""System checks of the deployment as a whole, shown by `manage.py check` and at every start.

Ids: workbench.W001 unknown variable · W002 no libraries for the page (npm.py) · E001 no PostgreSQL driver
· E002 no S3 storage.
Values that can't be used at all are refused earlier, by `workbench.environment`.
"""

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core import checks

from workbench.environment import unknown_variables
from workbench.filestorage import S3


@checks.register()
def check_unknown_variables(**kwargs: Any) -> list[checks.CheckMessage]:
    """A mistyped variable would be silently without effect."""
    return [
        checks.Warning(
            f"The environment variable {name} is read by nothing.",
            hint=f"Did you mean {likely}?" if likely else "Unset it; .env.example lists those that are read.",
            id="workbench.W001",
        )
        for name, likely in sorted(unknown_variables().items())
    ]


@checks.register()
def check_postgres_driver(**kwargs: Any) -> list[checks.CheckMessage]:
    """psycopg is an extra, and Django's own message names neither it nor the variable."""
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql" or find_spec("psycopg_pool"):
        return []
    return [
        checks.Error(
            "DATABASE_URL names a PostgreSQL database, and psycopg with its pool isn't installed.",
            hint="Install requirements/base.txt, or psycopg[binary,pool].",
            id="workbench.E001",
        )
    ]


@checks.register()
def check_s3_storage(**kwargs: Any) -> list[checks.CheckMessage]:
    """django-storages is an extra; without it the first file would fail."""
    if settings.STORAGES["default"]["BACKEND"] != S3 or find_spec("storages"):
        return []
    return [
        checks.Error(
            "WORKBENCH_FILES_BUCKET names a bucket for files, and django-storages isn't installed.",
            hint="Install requirements/base.txt, or django-storages.",
            id="workbench.E002",
        )
    ]
