"""What the page uses of npm's packages, as static files: a few files of three libraries, and nothing else of them.

Owns the list and where it is found (deploy/npm, see install there). A site without them works: answers are shown
as plain text, and the system check workbench.W002 says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core import checks
from django.core.files.storage import FileSystemStorage

__all__ = ["NpmFinder", "missing_libraries"]

# Package → its files, as patterns. Their static names are `npm/<package>/<file>`.
FILES = {
    "marked": ("lib/marked.esm.js", "lib/marked.esm.js.map"),  # the storage follows the map's address
    "@highlightjs/cdn-assets": ("es/highlight.min.js",),
    "katex": ("dist/katex.min.js", "dist/katex.min.css", "dist/fonts/*"),
}
PREFIX = "npm"


def missing_libraries() -> list[str]:
    """The packages that aren't there."""
    return [name for name in FILES if not (settings.NPM_PACKAGES / name / "package.json").is_file()]


class NpmFinder(BaseFinder):
    """Finds the listed files in `settings.NPM_PACKAGES`, npm's own folder: nothing is copied."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = FileSystemStorage(location=settings.NPM_PACKAGES)
        self.storage.prefix = PREFIX  # type: ignore[attr-defined]  # what collectstatic puts before a name
        super().__init__(*args, **kwargs)

    def check(self, **_options: Any) -> list[checks.CheckMessage]:
        missing = missing_libraries()
        if not missing:
            return []
        return [
            checks.Warning(
                f"The page's libraries aren't installed ({', '.join(missing)}): answers are shown as plain text.",
                hint="Run deploy/npm/install, which needs npm, or make setup, which gets one if there is none.",
                id="workbench.W002",
            )
        ]

    def find(self, path: str, find_all: bool = False) -> Any:
        name = path.removeprefix(f"{PREFIX}/")
        found = [self.storage.path(name)] if name != path and name in self._names() else []
        return found[0] if found and not find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        for name in self._names():
            yield name, self.storage

    def _names(self) -> Sequence[str]:
        root = settings.NPM_PACKAGES
        return [
            found.relative_to(root).as_posix()
            for package, patterns in FILES.items()
            for pattern in patterns
            for found in sorted((root / package).glob(pattern))
        ]
