"""A model's variants, compared over an S3 server that fails a fifth of all requests, and over a sound one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3

from tests.chaos.checks import Finding, Wrong, workspace_findings
from tests.chaos.comparing import compare
from tests.chaos.faulty_s3 import Fault, FaultyS3, faulty_s3
from tests.chaos.models import Models
from tests.servers import s3_server

__all__ = ["s3_faults"]

_BUCKET = "chaos"
_TIMEOUT = 2.0
_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
_SAME = ("variant", "digest", "verdict", "value", "drop", "drop_low", "drop_high", "samples")


def s3_faults(models: Models, root: Path, seed: int, say: Callable[[str], None]) -> Iterator[Finding]:
    """What was lost, differs, or needs more than one retry.

    Args:
        root: an empty folder.
    """
    with s3_server() as server, faulty_s3(server, seed=seed, silence=_TIMEOUT + 1) as (address, faulty):
        client = boto3.client("s3", endpoint_url=server, aws_access_key_id="test", aws_secret_access_key="test")
        spec = _spec(models, client)
        sound = _compare(spec, root / "sound", server)
        failing = _compare(spec, root / "failing", address)
        if failing is None:
            say("S3: its one retry")
            failing = _compare(spec, root / "failing", address)
        say(_said(faulty))
        yield from _differences(sound, failing, faulty)
        yield from workspace_findings(_objects(client, "failing/"))
        uploads = client.list_multipart_uploads(Bucket=_BUCKET).get("Uploads", ())
        yield from (Finding(Wrong.LOST, f"parts of {each['Key']} are left") for each in uploads)
        client.close()


def _spec(models: Models, client: Any) -> Path:
    """A spec whose model and data are on the server."""
    client.create_bucket(Bucket=_BUCKET)
    for name in ("keras3.keras", "calibration.npz", "test.npz"):
        client.upload_file(str(models.source / name), _BUCKET, name)
    data = {name: {"uri": f"s3://{_BUCKET}/{name}.npz", "format": "npz"} for name in ("calibration", "test")}
    calibration = {"calibration": {**data["calibration"], "samples": 100}, "evaluation": data["test"]}
    return models.spec("s3", 0, model={"name": "s3", "uri": f"s3://{_BUCKET}/keras3.keras"}, **calibration)


def _compare(spec: Path, home: Path, endpoint: str) -> Any | None:
    """The comparison; None if it fails."""
    places = {"AWS_ENDPOINT_URL_S3": endpoint, "LITEGATE_WORKSPACE": f"s3://{_BUCKET}/{home.name}"}
    ended = compare(spec, home, _KEYS | places | {"LITEGATE_S3_TIMEOUT": f"{_TIMEOUT:g}"})
    return ended.result if ended.code == 0 else None


def _said(faulty: FaultyS3) -> str:
    kinds = ", ".join(f"{fault.value} {count}" for fault, count in sorted(faulty.faults.items()))
    return f"S3: {faulty.faults.total()} of {faulty.requests} requests failed: {kinds}"


def _differences(sound: Any, failing: Any, faulty: FaultyS3) -> Iterator[Finding]:
    if sound is None or failing is None:
        yield Finding(Wrong.BY_HAND, "litegate compare fails twice where S3 fails a fifth of all requests")
        return
    if _rows(sound) != _rows(failing):
        yield Finding(Wrong.LOST, f"over a failing S3 server the result is {_rows(failing)}, else {_rows(sound)}")
    if unseen := set(Fault) - set(faulty.faults):
        raise AssertionError(f"of {faulty.requests} requests none has failed by {', '.join(sorted(unseen))}")


def _rows(result: Any) -> list[dict[str, Any]]:
    return [{key: row[key] for key in _SAME} for row in result["variants"]]


def _objects(client: Any, prefix: str) -> Iterator[tuple[str, bytes]]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=_BUCKET, Prefix=prefix):
        for item in page["Contents"]:
            body = client.get_object(Bucket=_BUCKET, Key=item["Key"])["Body"]
            yield item["Key"].removeprefix(prefix), body.read()
