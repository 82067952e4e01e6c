"""Where files lie: a folder, or a bucket of S3 or a server that speaks its protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.environment import Environment

__all__ = ["S3", "file_storage"]

S3 = "storages.backends.s3.S3Storage"


def file_storage(environment: Environment) -> dict[str, Any]:
    """The entry of STORAGES. Keys and endpoint are boto3's own variables (AWS_ENDPOINT_URL_S3, …).

    Objects are private and read by this server alone: no address of the bucket is ever given out.
    """
    if not environment.workbench_files_bucket:
        return {"BACKEND": "workbench.syncedfolder.SyncedFolder"}
    return {
        "BACKEND": S3,
        "OPTIONS": {
            "bucket_name": environment.workbench_files_bucket,
            "location": environment.workbench_files_prefix.strip("/"),
            "region_name": environment.aws_region or None,
            "default_acl": None,
            "file_overwrite": True,  # names are ids; asking whether one is taken costs a request
            "max_memory_size": 1 << 20,  # bytes of a file that is read; the rest goes to a temporary one
        },
    }
