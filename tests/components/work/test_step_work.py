"""A step's own folder: the files that it was given, and those that it hands back."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.digest import digest_bytes
from litegate.work.step_work import Work


@pytest.fixture
def work(tmp_path: Path) -> Work:
    folder = tmp_path / "step"
    folder.mkdir()
    return Work(folder, tmp_path / "cache")


def test_a_file_that_is_handed_back_waits_under_its_digest(work: Work) -> None:
    ref = work.keep_bytes(b"bytes", "some.tflite")
    assert (ref.name, ref.digest, ref.bytes) == ("some.tflite", digest_bytes(b"bytes"), 5)
    assert (work.outputs / ref.digest).read_bytes() == b"bytes"


def test_a_tree_is_handed_back_by_relative_name_and_laid_out_again(work: Work) -> None:
    root = work.folder / "saved"
    (root / "variables").mkdir(parents=True)
    (root / "variables" / "index").write_bytes(b"index")
    (root / "saved_model.pb").write_bytes(b"graph")
    refs = work.keep_tree(root)
    assert [ref.name for ref in refs] == ["saved_model.pb", "variables/index"]
    (work.cache / "files").mkdir(parents=True)
    for ref in refs:
        (work.outputs / ref.digest).rename(work.path(ref))
    again = work.tree(refs, "again")
    assert (again / "variables" / "index").read_bytes() == b"index"


def test_the_record_says_what_the_host_could_not_shut_off(work: Work) -> None:
    assert work.isolation == "complete"
    assert Work(work.folder, work.cache, ("no network namespace", "no seccomp")).isolation == (
        "no network namespace; no seccomp"
    )
