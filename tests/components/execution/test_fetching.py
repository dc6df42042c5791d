"""What a step reads is there before it begins, or is served while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.digest import digest_bytes
from litegate.errors import StoreError
from litegate.execution.fetching import data_broker, fetch_files
from litegate.records import Artifact, DataRef, FileRef, SampleRequest
from litegate.steps import STEPS
from litegate.storage.workspace import Workspace
from litegate.work import broker


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(str(tmp_path / "workspace"), tmp_path / "cache")


@pytest.fixture
def request_of_a_sample(tmp_path: Path) -> SampleRequest:
    filling = Workspace(str(tmp_path / "workspace"), tmp_path / "filling")

    def keep(name: str, content: bytes) -> FileRef:
        (tmp_path / name).write_bytes(content)
        return filling.keep_file(tmp_path / name, name)

    data = DataRef(uri="s3://b/d", format="npz", digest="b" * 64, manifest=keep("manifest.jsonl", b""))
    artifact = Artifact(variant="float32", file=keep("float32.tflite", b"model"), signatures={})
    return SampleRequest(data=data, artifact=artifact, samples=1, seed=1)


def test_the_files_of_a_request_are_fetched_once_each(workspace: Workspace, request_of_a_sample: SampleRequest) -> None:
    found = fetch_files(request_of_a_sample, workspace)
    assert {path.name: path.read_bytes() for path in found} == {
        digest_bytes(b""): b"",
        digest_bytes(b"model"): b"model",
    }
    assert {path.parent for path in found} == {workspace.cache / "files"}


def test_a_file_that_is_gone_ends_the_step_before_it_begins(
    workspace: Workspace, request_of_a_sample: SampleRequest, tmp_path: Path
) -> None:
    (tmp_path / "workspace" / "files" / request_of_a_sample.artifact.file.digest).unlink()
    with pytest.raises(StoreError):
        fetch_files(request_of_a_sample, workspace)


def test_only_a_confined_step_with_data_is_served(
    workspace: Workspace, request_of_a_sample: SampleRequest, tmp_path: Path
) -> None:
    fetch_files(request_of_a_sample, workspace)
    cache = tmp_path / "cache"
    with data_broker(STEPS["sample"], request_of_a_sample, tmp_path, cache) as server:
        assert server is not None
        assert broker.is_served(tmp_path)
    for step, request in ((STEPS["train"], request_of_a_sample), (STEPS["quantize"], request_of_a_sample.artifact)):
        with data_broker(step, request, tmp_path, cache) as server:
            assert server is None
