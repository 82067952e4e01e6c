"""What is kept in a folder is on the disk before its row says so."""

import os
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile

from workbench.syncedfolder import SyncedFolder


def test_a_file_is_synced_and_so_is_every_folder_whose_entries_may_be_new(tmp_path: Path, monkeypatch: Any) -> None:
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    SyncedFolder(location=tmp_path).save("files/ab/one", ContentFile(b"words"))
    places = [tmp_path / "files/ab/one", tmp_path / "files/ab", tmp_path / "files", tmp_path]
    assert synced == [place.stat().st_ino for place in places]
