"""Settings of a site on which collectstatic was run, to a folder of the benchmark's own."""

import os
from pathlib import Path

from workbench.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["BENCHMARK_STATIC_ROOT"])
WHITENOISE_USE_FINDERS = False
