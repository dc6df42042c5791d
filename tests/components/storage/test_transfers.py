"""Transfers of S3 objects over connections that break, by a proxy that breaks them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError

from litegate.diagnosis import kind_of
from litegate.failures import FailureKind
from litegate.storage import s3, transfers
from litegate.storage.protocol import Refused
from litegate.storage.s3 import S3Storage, client_for, s3_client
from tests.chaos.faulty_s3 import Fault, FaultyS3, faulty_s3

CONTENT = bytes(range(256)) * 12_000  # three megabytes: several blocks


@pytest.fixture
def faulty(s3_server: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    """Is in front of the S3 server, and breaks nothing by itself."""
    s3_client().put_object(Bucket=s3_bucket, Key="large", Body=CONTENT)
    with faulty_s3(s3_server, share=0.0) as (address, proxy):
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        monkeypatch.setattr(transfers.time, "sleep", lambda _: None)
        client_for.cache_clear()
        yield proxy


def test_a_transfer_that_is_cut_goes_on_where_it_was(faulty: FaultyS3, s3_bucket: str) -> None:
    faulty.planned = [Fault.CUT_ANSWER, Fault.CUT_ANSWER]
    assert b"".join(S3Storage(f"s3://{s3_bucket}").read("large")) == CONTENT
    assert faulty.requests == 3


def test_it_is_given_up_where_nothing_comes_any_more(faulty: FaultyS3, s3_bucket: str) -> None:
    storage = S3Storage(f"s3://{s3_bucket}")
    faulty.planned = [Fault.CUT_ANSWER] * 60  # each gives half of what is left, and at last nothing
    with pytest.raises(BotoCoreError) as caught:
        list(storage.read("large"))
    assert kind_of(caught.value) is FailureKind.INFRASTRUCTURE
    assert faulty.requests < 60


def test_what_has_changed_meanwhile_is_not_patched_together(s3_server: str, faulty: FaultyS3, s3_bucket: str) -> None:
    faulty.planned = [Fault.CUT_ANSWER]
    blocks = S3Storage(f"s3://{s3_bucket}").read("large")
    next(blocks)
    faulty.planned += [None]
    s3_client().put_object(Bucket=s3_bucket, Key="large", Body=CONTENT[::-1])
    with pytest.raises(Refused, match="PreconditionFailed"):
        list(blocks)


def test_a_part_that_is_cut_is_asked_for_again(faulty: FaultyS3, s3_bucket: str) -> None:
    storage = S3Storage(f"s3://{s3_bucket}")
    found = storage.find("large")
    assert found is not None
    faulty.planned = [Fault.CUT_ANSWER, Fault.SILENCE, Fault.CUT_ANSWER]
    faulty.silence = 0.0
    assert storage.read_span("large", found.version, 1000, 50_000) == CONTENT[1000:51_000]


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.CUT_REQUEST, Fault.BUSY, Fault.ERROR])
def test_what_is_put_is_there_once_and_whole(faulty: FaultyS3, s3_bucket: str, tmp_path: Path, fault: Fault) -> None:
    """Of a request that was done and whose answer was lost, the second one finds the object there."""
    (tmp_path / "file").write_bytes(CONTENT)
    storage = S3Storage(f"s3://{s3_bucket}")
    faulty.planned = [fault]
    assert storage.put_if_absent("new", tmp_path / "file") is (fault is not Fault.LOST_ANSWER)
    assert b"".join(storage.read("new")) == CONTENT


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.CUT_ANSWER])
def test_parts_that_were_put_together_are_there_although_the_answer_is_lost(
    faulty: FaultyS3, s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(s3, "LARGE", len(CONTENT))
    (tmp_path / "file").write_bytes(CONTENT)
    storage = S3Storage(f"s3://{s3_bucket}")
    faulty.planned = [None, None, fault]
    storage.put_if_absent("new", tmp_path / "file")
    assert b"".join(storage.read("new")) == CONTENT
    assert "Uploads" not in s3_client().list_multipart_uploads(Bucket=s3_bucket)
