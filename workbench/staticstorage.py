"""Static files: hashed and compressed names once `collectstatic` has made them, plain ones before.

So that `migrate` and `serve` are enough for a site, and `collectstatic` makes it faster.
"""

from whitenoise.storage import CompressedManifestStaticFilesStorage

__all__ = ["HashedOnceCollected"]


class HashedOnceCollected(CompressedManifestStaticFilesStorage):
    """whitenoise's storage, which would raise for every file while there is no manifest."""

    def stored_name(self, name: str) -> str:
        return str(super().stored_name(name)) if self.hashed_files else name
