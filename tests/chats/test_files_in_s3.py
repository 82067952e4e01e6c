"""Files in a bucket: the same use cases, with the unmodified SDK against a server at wire level."""

from collections.abc import Iterator
from typing import Any

import pytest

from chats.engine import Engine
from chats.files import File
from chats.protocol import DoorError
from chats.uploads import discard_file, open_bytes, read_bytes
from tests.chats.attaching import PNG, kept
from tests.standins.aws_auth import ACCESS_KEY, SECRET_KEY
from tests.standins.s3 import S3StandIn
from workbench.environment import Environment
from workbench.filestorage import file_storage
from workbench.models import User


@pytest.fixture
def bucket(engine: Engine, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3StandIn]:
    server = S3StandIn()
    server.start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    environment = Environment(
        workbench_files_bucket="workbench", workbench_files_prefix="/site/", aws_region="eu-central-1"
    )
    settings.STORAGES = settings.STORAGES | {"default": file_storage(environment)}
    yield server
    server.stop()


@pytest.fixture
def user(engine: Engine) -> User:
    return User.objects.create_user("ann")


def test_a_file_is_put_read_and_deleted_under_its_id(bucket: S3StandIn, user: User, engine: Engine) -> None:
    file = kept(user)
    assert bucket.objects == {f"workbench/site/{file.stored_as}": PNG}
    assert read_bytes(user.pk, str(file.pk)) == PNG
    discard_file(user, str(file.pk))
    engine.tidying._tidy()
    assert bucket.objects == {}
    assert not File.objects.exists()


def test_an_object_that_is_gone_is_not_found(bucket: S3StandIn, user: User, caplog: pytest.LogCaptureFixture) -> None:
    file = kept(user)
    bucket.objects.clear()
    with pytest.raises(DoorError, match="lost"):
        open_bytes(file)


def test_a_bucket_that_refuses_is_a_refusal_of_the_upload(
    bucket: S3StandIn, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.faults.extend([403])
    with pytest.raises(DoorError) as refused:
        kept(user)
    assert refused.value.code == "unavailable"


def test_without_a_bucket_files_lie_in_a_folder() -> None:
    assert file_storage(Environment())["BACKEND"].endswith("SyncedFolder")
