"""A step that is ready to be run has a folder of its own, and all that its process may use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from litegate.errors import BadInput
from litegate.execution.preparation import prepared, work_folder
from litegate.execution.sandbox import Confinement
from litegate.records import LedgerRequest, ProduceRequest, RegisteredAlias
from litegate.settings import Settings
from litegate.steps import STEPS
from litegate.storage.scratch import is_held
from litegate.work.step_work import PROGRESS

REQUEST = ProduceRequest(entry_point="theirs:make", folder="/theirs", arguments={"n": 1}, uri="out")


@pytest.fixture
def places(tmp_path: Path) -> Settings:
    pythons = {"service": tmp_path / "service", "tensorflow": tmp_path / "tensorflow"}
    return Settings(str(tmp_path / "workspace"), tmp_path / "cache", tmp_path / "scratch", pythons)


def test_a_work_folder_is_private_held_and_gone_in_the_end(places: Settings) -> None:
    with work_folder(STEPS["sample"], places.scratch) as folder:
        (folder / "deep" / "er").mkdir(parents=True)
        assert folder.parent == places.scratch
        assert (folder.name.partition("-")[0], folder.stat().st_mode & 0o777) == ("sample", 0o700)
        assert is_held(folder)
    assert not folder.exists()


def test_a_work_folder_is_gone_where_its_step_failed(places: Settings) -> None:
    with pytest.raises(ZeroDivisionError), work_folder(STEPS["sample"], places.scratch) as folder:
        _ = 1 / 0
    assert not folder.exists()


def test_everything_that_the_process_needs_is_handed_over(
    places: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITEGATE_TIME_LIMIT", "90")
    files = (tmp_path / "a",)
    ready = prepared(STEPS["prepare"], REQUEST, tmp_path, files, places)
    assert json.loads((tmp_path / "request.json").read_text()) == REQUEST.to_json()
    assert Confinement.load(tmp_path / "confinement.json") == ready.confinement
    assert (ready.step, ready.folder, ready.cache, ready.files) == (STEPS["prepare"], tmp_path, places.cache, files)
    assert (ready.python, ready.seconds) == (tmp_path / "service", 90.0)
    assert ready.environment["TMPDIR"] == str(tmp_path)


def test_a_limit_that_is_none_is_refused_before_anything_is_written(
    places: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITEGATE_DISK_LIMIT", "much")
    with pytest.raises(BadInput, match="LITEGATE_DISK_LIMIT"):
        prepared(STEPS["ledger"], LedgerRequest(channel=RegisteredAlias(registry="m")), tmp_path, (), places)
    assert list(tmp_path.iterdir()) == []


def test_a_step_may_write_where_it_keeps_what_it_has_done(places: Settings, tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    ready = prepared(STEPS["prepare"], REQUEST, tmp_path, (), places, progress)
    assert ready.confinement.write == (str(tmp_path), str(progress))
    assert ready.environment[PROGRESS] == str(progress)
    without = prepared(STEPS["prepare"], REQUEST, tmp_path, (), places)
    assert (without.confinement.write, PROGRESS in without.environment) == ((str(tmp_path),), False)
