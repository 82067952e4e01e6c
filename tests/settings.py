"""The tests' settings: the product's own, from an environment that doesn't depend on the developer's.

DATABASE_URL and REDIS_URL stay as they are set, so that one suite runs against each database; without them the
database is a SQLite file in a temporary folder (in memory, threads would lock one another out) and Redis is absent.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from workbench.environment import Environment

for variable in Environment.model_fields:
    if variable not in {"database_url", "redis_url"}:
        os.environ.pop(variable.upper(), None)

folder = Path(tempfile.mkdtemp(prefix="workbench-tests-"))
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.environ["MEDIA_ROOT"] = f"{folder}/media"
if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
    os.environ["DATABASE_URL"] = f"sqlite:///{folder}/db.sqlite3"
os.environ["SECRET_KEY"] = "tests-only-tests-only-tests-only-tests-only-tests-only"
os.environ["WORKBENCH_LOG_LEVEL"] = "WARNING"

# AWS's SDK looks in more places than the environment; a test that needs credentials sets them.
for variable in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[variable]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull

from workbench.settings import *  # noqa: E402, F403

WORKBENCH_TITLES = False  # each is one more request to a model's stand-in; the tests of titles turn them on
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":  # noqa: F405
    # Django's test client leaves the connections of asynchronous requests' threads open, and they end with them.
    DATABASES["default"]["OPTIONS"]["pool"] |= {"max_size": 100}  # noqa: F405
if REDIS_URL:  # noqa: F405
    # Tests that run side by side (pytest -n) share one Redis.
    of_this_worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] = f"tests-{of_this_worker}"  # type: ignore[index] # noqa: F405
    CACHES["default"]["KEY_PREFIX"] = f"tests-{of_this_worker}"  # noqa: F405
