"""A SECRET_KEY for development, made once and kept, so that sessions survive a restart."""

import os
import tempfile
from pathlib import Path

from django.core.management.utils import get_random_secret_key


def development_key(path: Path) -> str:
    """The key in the file at `path`, which only its owner can read; made at the first call.

    Two processes that start at once agree: the file appears whole, and the first one's stays.
    """
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.", delete=False) as draft:
            draft.write(get_random_secret_key())
        try:
            os.link(draft.name, path)
        except FileExistsError:
            pass  # another process was first; its key is the one
        finally:
            Path(draft.name).unlink()
    return path.read_text(encoding="utf-8").strip()
