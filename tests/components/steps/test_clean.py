"""Cleaning up a workspace, local and on S3, by what a real MLflow server still refers to."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from litegate import objects
from litegate.confinement import named
from litegate.digest import digest_bytes
from litegate.errors import StoreError
from litegate.records import Cleaned, CleanRequest, FileRef, RegisterRequest, RunResult
from litegate.steps import clean, register
from litegate.storage import is_s3, put
from litegate.store import Store
from litegate.tracking import ledger, runs

pytestmark = pytest.mark.usefixtures("mlflow_url")

DAY = 86_400


@dataclass
class Place:
    """A workspace with a registered version, and a clock that can be put forward."""

    root: str
    toy: Any
    monkeypatch: pytest.MonkeyPatch
    result: RunResult = field(init=False)
    request: RegisterRequest = field(init=False)

    def register(self) -> None:
        self.request = self.toy.request()
        for ref in set(named(self.request, FileRef)):
            source = self.toy.work.path(ref)
            self.put(f"files/{ref.digest}", source.read_bytes() if source.exists() else b"x")
        self.result = register.run(self.request, self.toy.work)

    def put(self, name: str, content: bytes = b"x", days: float = 0) -> str:
        path = self.toy.folder / "object"
        path.write_bytes(content)
        put(path, f"{self.root}/{name}")
        if not is_s3(self.root):
            os.utime(Path(self.root, name), (time.time() - days * DAY,) * 2)
        return name

    def names(self) -> set[str]:
        return {item.name for page in objects.pages(self.root) for item in page}

    def clean(self, days: int = 30, later: float = 0, apply: bool = True) -> Cleaned:
        now = time.time() + later * DAY
        self.monkeypatch.setattr("litegate.steps.clean.time.time", lambda: now)
        request = CleanRequest(
            workspace=self.root,
            cache=str(self.toy.folder / "home-cache"),
            scratch=str(self.toy.folder / "scratch"),
            days=days,
            apply=apply,
        )
        return clean.run(request, self.toy.work)


@pytest.fixture(params=["local", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "local":
        return str(tmp_path / "workspace")
    return f"s3://{request.getfixturevalue('s3_bucket')}/workspace"


@pytest.fixture
def place(root: str, toy: Any, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(root, toy, monkeypatch)
    made.register()
    return made


def counts(cleaned: Cleaned) -> dict[tuple[str, str], int]:
    return {(pile.kind, pile.fate): pile.count for pile in cleaned.piles}


def file(text: str) -> str:
    return f"files/{digest_bytes(text.encode())}"


def result(step: str, text: str) -> str:
    return f"results/{step}/{digest_bytes(text.encode())}.json"


def test_what_a_version_needs_stays_and_the_rest_goes_once_it_is_old(place: Place) -> None:
    needed = {f"files/{ref.digest}" for ref in set(named(place.request, FileRef))}
    unneeded = {place.put(file("old")), place.put(result("convert", "old")), place.put(result("judge", "old"))}

    young = place.clean(later=29)
    assert place.names() == needed | unneeded
    assert {fate for _, fate in counts(young)} == {"recent", "registered"}

    rehearsed = place.clean(later=40, apply=False)
    assert place.names() == needed | unneeded
    done = place.clean(later=40)
    assert place.names() == needed
    assert rehearsed.piles == done.piles
    assert counts(done) == {("results", "unused"): 2, ("files", "unused"): 1, ("files", "registered"): len(needed)}
    assert counts(place.clean(later=40)) == {("files", "registered"): len(needed)}


def test_files_stay_two_days_longer_than_results(place: Place) -> None:
    old, step = place.put(file("old")), place.put(result("convert", "old"))
    place.clean(later=31)
    assert old in place.names()
    assert step not in place.names()
    place.clean(later=33)
    assert old not in place.names()


def test_what_a_ledger_names_stays_also_when_its_run_was_deleted(place: Place) -> None:
    client = MlflowClient()
    hub = runs.experiment(client, ledger.EXPERIMENT, "")
    live, deleted = place.put(file("in a ledger")), place.put(file("in a deleted ledger"))
    for number, name in enumerate((live, deleted)):
        run = client.create_run(hub)
        entry = {"decision": {"digest": name.removeprefix("files/")}}
        client.log_param(run.info.run_id, f"entry-{number:05d}", json.dumps(entry))
    client.delete_run(run.info.run_id)
    cleaned = place.clean(later=40)
    assert {live, deleted} <= place.names()
    assert counts(cleaned)["files", "ledger"] == 2


def test_a_version_whose_runs_were_deleted_keeps_its_files(place: Place) -> None:
    before = place.names()
    client = MlflowClient()
    for row in place.result.variants:
        client.delete_run(row.mlflow_run_id)
    client.delete_run(place.result.mlflow_run_id)
    place.clean(later=40)
    assert place.names() == before


def test_a_deleted_version_keeps_nothing(place: Place, new_toy: Callable[[], Any]) -> None:
    other = Place(place.root, new_toy(), place.monkeypatch)
    other.register()
    evidence = place.put(file("only here"))
    MlflowClient().delete_registered_model(place.toy.name)
    place.clean(later=40)
    assert evidence not in place.names()
    assert {f"files/{ref.digest}" for ref in set(named(other.request, FileRef))} == place.names()


def test_names_that_are_not_ours_are_never_touched(place: Place) -> None:
    foreign = {
        place.put(name, days=400)
        for name in ("files/model.tflite", f"files/{'A' * 64}", "results/convert/x.json", "results/readme", "notes.txt")
    }
    cleaned = place.clean(later=400)
    assert foreign <= place.names()
    assert {Path(name).name for name in cleaned.foreign} == {Path(name).name for name in foreign}
    assert counts(cleaned)["files", "foreign"] == 2


def test_writes_that_were_cut_short_go(place: Place) -> None:
    left = {place.put("files/.tmp-ab_12"), place.put("results/convert/.tmp-x1")}
    cleaned = place.clean(later=40)
    assert not left & place.names()
    assert counts(cleaned)["unfinished writes", "unused"] == 2


def test_thousands_are_deleted_page_by_page(place: Place) -> None:
    if is_s3(place.root):
        from litegate.storage import s3_client, split_s3

        bucket, prefix = split_s3(place.root)
        for number in range(2100):
            s3_client().put_object(Bucket=bucket, Key=f"{prefix}/{file(str(number))}", Body=b"x")
    else:
        for number in range(2100):
            Path(place.root, file(str(number))).write_bytes(b"x")
    before = len(place.names())
    cleaned = place.clean(later=40)
    assert counts(cleaned)["files", "unused"] == 2100
    assert len(place.names()) == before - 2100


def test_a_workspace_that_mlflow_does_not_know_is_left_alone(toy: Any, tmp_path: Path, monkeypatch: Any) -> None:
    stranger = Place(str(tmp_path / "other"), toy, monkeypatch)
    stranger.put(file("old"), days=400)
    with pytest.raises(StoreError, match="is it the server of this workspace"):
        stranger.clean()
    assert len(stranger.names()) == 1


@pytest.mark.parametrize("root", ["local"], indirect=True)
def test_nothing_is_deleted_when_the_list_of_a_run_cannot_be_read(
    place: Place, mlflow_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.put(file("old"))
    before = place.names()
    (listed,) = mlflow_server.artifacts.rglob(f"{place.result.mlflow_run_id}/artifacts/{runs.FILES_ARTIFACT}")
    whole = listed.read_text()
    listed.write_text("[]")
    with pytest.raises(StoreError, match="nothing is deleted: ValueError"):
        place.clean(later=40)
    listed.unlink()
    with pytest.raises(StoreError, match="nothing is deleted"):
        place.clean(later=40)
    assert place.names() == before
    listed.write_text(whole)
    place.clean(later=40)


@pytest.mark.parametrize("root", ["local"], indirect=True)
def test_nothing_is_deleted_when_mlflow_does_not_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.put(file("old"))
    before = place.names()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="MLflow cannot be read to the end"):
        place.clean(later=40)
    assert place.names() == before


@pytest.mark.parametrize("root", ["local"], indirect=True)
def test_the_cache_and_the_scratch_folders_of_this_host(place: Place) -> None:
    home = place.toy.folder
    digest = digest_bytes(b"x")
    kept = [home / "home-cache" / "files" / digest, home / "home-cache" / "notes", home / "scratch" / "mine"]
    old = [home / "home-cache" / "files" / digest_bytes(b"y"), home / "home-cache" / "objects" / digest]
    for path in kept + old:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    folders = [home / "home-cache" / "sets" / digest, home / "scratch" / "convert-a1b2"]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"12345")
        os.utime(folder / "file", (1, 1))
    running = home / "scratch" / "train-c3d4"
    running.mkdir()
    for path in (*old, *folders):
        os.utime(path, (1, 1))
    cleaned = place.clean()
    assert all(path.exists() for path in (*kept, running))
    assert not any(path.exists() for path in (*old, *folders))
    assert {pile.kind: (pile.count, pile.bytes) for pile in cleaned.piles if pile.fate == "unused"} == {
        "cached files": (1, 5),
        "cached data sets": (1, 5),
        "cached objects": (1, 5),
        "scratch folders": (1, 5),
    }
    assert cleaned.foreign == (str(home / "scratch" / "mine"),)


def test_a_registered_run_names_every_file_of_its_request(place: Place, tmp_path: Path) -> None:
    client = MlflowClient()
    path = client.download_artifacts(place.result.mlflow_run_id, runs.FILES_ARTIFACT, str(tmp_path))
    listed = {FileRef.model_validate(item) for item in json.loads(Path(path).read_text())}
    assert listed == set(named(place.request, FileRef))
    store = Store(place.root, tmp_path)
    assert store.use_result("none", "0" * 64, listed) is False  # there is no such result
    assert all(objects.exists(place.root, f"files/{ref.digest}") for ref in listed)
