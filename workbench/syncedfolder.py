"""Files in a folder, on the disk itself before their rows say that they are there.

The database is written so too (SQLite's synchronous=FULL): a power cut leaves no row whose bytes were only in memory.
"""

import os
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage

__all__ = ["SyncedFolder"]


class SyncedFolder(FileSystemStorage):
    """Django's own storage, with that."""

    def _save(self, name: str, content: Any) -> str:
        saved: str = super()._save(name, content)  # type: ignore[misc]  # the stubs lack it; it is what backends define
        path = Path(self.path(saved))
        folders = list(path.relative_to(self.location).parents)  # any of them may be new: its name is in the one above
        for each in (path, *(Path(self.location, folder) for folder in folders)):
            descriptor = os.open(each, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return saved
