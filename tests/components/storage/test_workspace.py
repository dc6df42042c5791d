"""The workspace on a local folder and on a real S3 protocol server."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from litegate.digest import digest_bytes
from litegate.errors import StoreError
from litegate.records import FileRef
from litegate.storage.opening import open_storage
from litegate.storage.user_objects import put
from litegate.storage.workspace import Workspace

KEY = "k" * 64


@pytest.fixture
def workspace(root: str, tmp_path: Path) -> Workspace:
    return Workspace(root, tmp_path / "cache")


def test_a_result_is_found_again_and_never_overwritten(workspace: Workspace) -> None:
    assert workspace.result("convert", "k") is None
    workspace.keep_result("convert", "k", {"value": 1})
    workspace.keep_result("convert", "k", {"value": 2})
    assert workspace.result("convert", "k") == {"value": 1}


def test_a_file_comes_back_under_its_digest(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"bytes")
    ref = workspace.keep_file(path, "int8.tflite")
    assert ref == FileRef(name="int8.tflite", digest=digest_bytes(b"bytes"), bytes=5)
    assert workspace.keep_file(path, "again.tflite").digest == ref.digest
    assert workspace.fetch(ref).read_bytes() == b"bytes"
    assert workspace.uri(ref).endswith(f"/files/{ref.digest}")


def test_a_mark_is_replaced(workspace: Workspace) -> None:
    assert workspace.mark("watch-1") is None
    for value in ({"uri": "a"}, {"uri": "b"}):
        workspace.set_mark("watch-1", value)
        assert workspace.mark("watch-1") == value
    assert workspace.mark("watch-2") is None


def test_a_use_is_noted_once_a_day(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"bytes")
    ref = workspace.keep_file(path, "file")
    workspace.keep_result("convert", KEY, {"value": 1})
    first = last_uses(workspace)
    assert workspace.use_result("convert", KEY, {ref})
    assert last_uses(workspace) == first
    time.sleep(1.1)  # S3 counts in seconds
    now = time.time()
    monkeypatch.setattr("litegate.storage.use.time.time", lambda: now + 86_400)
    assert workspace.use_result("convert", KEY, {ref})
    assert all(last_uses(workspace)[name] > used for name, used in first.items())
    assert workspace.result("convert", KEY) == {"value": 1}
    assert workspace.fetch(ref).read_bytes() == b"bytes"


def test_a_result_without_its_files_is_of_no_use(workspace: Workspace) -> None:
    workspace.keep_result("convert", KEY, {"value": 1})
    assert not workspace.use_result("convert", KEY, {FileRef(name="gone", digest="0" * 64, bytes=1)})
    workspace.forget_result("convert", KEY)
    workspace.forget_result("convert", KEY)
    workspace.keep_result("convert", KEY, {"value": 2})
    assert workspace.result("convert", KEY) == {"value": 2}


def last_uses(workspace: Workspace) -> dict[str, float]:
    return {item.name: item.modified for page in open_storage(workspace.root).pages() for item in page}


def test_a_missing_file_is_an_error_that_names_it(workspace: Workspace) -> None:
    with pytest.raises(StoreError, match=r"int8\.tflite\) is missing"):
        workspace.fetch(FileRef(name="int8.tflite", digest="0" * 64, bytes=1))


def test_damaged_bytes_are_never_handed_out(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"good!")
    ref = workspace.keep_file(path, "file")
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"bad!!")
    put(damaged, workspace.uri(ref))
    with pytest.raises(StoreError, match="is damaged"):
        workspace.fetch(ref)
    assert not (tmp_path / "cache" / "files" / ref.digest).exists()


def test_a_cached_copy_that_was_altered_at_equal_size_is_fetched_again(
    workspace: Workspace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"good!")
    ref = workspace.keep_file(path, "float32.tflite")
    cached = workspace.fetch(ref)
    before = cached.stat()
    cached.write_bytes(b"bad!!")
    os.utime(cached, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert workspace.fetch(ref).read_bytes() == b"good!"
    assert f"the cached copy of float32.tflite ({cached}) is damaged: it is fetched again" in caplog.messages


def test_a_damaged_file_of_the_workspace_says_what_to_do(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"good!")
    ref = workspace.keep_file(tmp_path / "file", "file")
    (tmp_path / "damaged").write_bytes(b"bad!!")
    put(tmp_path / "damaged", workspace.uri(ref))
    with pytest.raises(StoreError, match="remove it, and clear the step that made it"):
        workspace.fetch(ref)


def test_a_reference_with_another_size_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"good!")
    ref = workspace.keep_file(tmp_path / "file", "file")
    for _ in range(2):
        with pytest.raises(StoreError, match="expected 4 bytes, got 5"):
            workspace.fetch(ref.model_copy(update={"bytes": 4}))


def test_the_cache_is_its_owners_alone(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(mode=0o777)
    (tmp_path / "file").write_bytes(b"good!")
    workspace.fetch(workspace.keep_file(tmp_path / "file", "file"))
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
