"""A run with its workspace on an S3 server that fails a fifth of all requests, beside a comparison over a sound one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from mlflow import MlflowClient

from tests.chaos.checks import Finding, Wrong, registry_findings, workspace_findings
from tests.chaos.comparing import compare
from tests.chaos.embedded import EmbeddedWorld
from tests.chaos.faulty_s3 import Fault, FaultyS3, faulty_s3
from tests.chaos.loop import promoted, told_by
from tests.chaos.models import Models
from tests.chaos.world import Ended
from tests.servers import s3_server

__all__ = ["s3_faults"]

_BUCKET, _MODEL = "chaos", "s3"
_TIMEOUT = 2.0
_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
_SAME = ("variant", "digest", "verdict", "value", "drop", "drop_low", "drop_high", "samples")


def s3_faults(models: Models, root: Path, seed: int, say: Callable[[str], None]) -> Iterator[Finding]:
    """What was lost, doubled or wrongly promoted, differs, or needs more than one retry.

    Args:
        root: a folder in which homes are made, which the user `nobody` can come to if we are root.
    """
    with s3_server() as server, faulty_s3(server, seed=seed, silence=_TIMEOUT + 1) as (address, faulty):
        client = boto3.client("s3", endpoint_url=server, aws_access_key_id="test", aws_secret_access_key="test")
        spec = _spec(models, client)
        sound = compare(spec, root / "sound", _variables(server, "sound"))
        with _servers(root / "failing", _variables(address, "failing")) as world:
            ended = world.run(spec)
            if not promoted(ended):
                say(f"S3: its one retry, after {ended.output[-500:]}")
                ended = world.run(spec)
            say(_said(faulty))
            yield from _differences(sound, ended, faulty)
            told = [told_by(ended)] if promoted(ended) else []
            yield from registry_findings(MlflowClient(world.mlflow_url), _MODEL, told)
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
    return models.spec(_MODEL, 0, model={"name": _MODEL, "uri": f"s3://{_BUCKET}/keras3.keras"}, **calibration)


def _variables(endpoint: str, workspace: str) -> dict[str, str]:
    """What leads a command, or servers, to an S3 server and a workspace there."""
    places = {"AWS_ENDPOINT_URL_S3": endpoint, "LITEGATE_WORKSPACE": f"s3://{_BUCKET}/{workspace}"}
    return _KEYS | places | {"LITEGATE_S3_TIMEOUT": f"{_TIMEOUT:g}"}


@contextmanager
def _servers(root: Path, variables: dict[str, str]) -> Iterator[EmbeddedWorld]:
    root.mkdir(mode=0o755)
    world = EmbeddedWorld(root, variables)
    world.start()
    try:
        yield world
    finally:
        world.stop()


def _said(faulty: FaultyS3) -> str:
    kinds = ", ".join(f"{fault.value} {count}" for fault, count in sorted(faulty.faults.items()))
    return f"S3: {faulty.faults.total()} of {faulty.requests} requests failed: {kinds}"


def _differences(sound: Ended, failing: Ended, faulty: FaultyS3) -> Iterator[Finding]:
    if sound.code or not promoted(failing):
        yield Finding(Wrong.BY_HAND, f"{sound.output[-1500:]}; where S3 fails, twice: {failing.output[-1500:]}")
        return
    if _rows(sound.result) != _rows(failing.result):
        rows = (_rows(failing.result), _rows(sound.result))
        yield Finding(Wrong.LOST, "over a failing S3 server the result is {}, else {}".format(*rows))
    if unseen := set(Fault) - set(faulty.faults):
        raise AssertionError(f"of {faulty.requests} requests none has failed by {', '.join(sorted(unseen))}")


def _rows(result: Any) -> list[dict[str, Any]]:
    return [{key: row[key] for key in _SAME} for row in result["variants"]]


def _objects(client: Any, prefix: str) -> Iterator[tuple[str, bytes]]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=_BUCKET, Prefix=prefix):
        for item in page["Contents"]:
            body = client.get_object(Bucket=_BUCKET, Key=item["Key"])["Body"]
            yield item["Key"].removeprefix(prefix), body.read()
