"""Runs a module in the rivals' environment, as `python -m` would: `python launch.py MODULE [ARGUMENT…]`.

One of the packages there installs a top-level `tests` by mistake, which would hide this folder's: so it's named first.
"""

import runpy
import sys
from pathlib import Path
from types import ModuleType

ours = ModuleType("tests")
ours.__path__ = [str(Path(__file__).resolve().parents[2])]
sys.modules["tests"] = ours
sys.path.pop(0)  # this folder, which a script's own path begins with
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
