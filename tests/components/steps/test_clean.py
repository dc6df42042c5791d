"""Cleaning up a workspace, local and on S3, by what a real MLflow server still refers to."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from litegate.digest import digest_bytes, digest_json
from litegate.errors import StoreError
from litegate.execution.confinement import named
from litegate.records import Cleaned, CleanRequest, FileRef, RegisterRequest, RunResult
from litegate.steps import clean, register
from litegate.storage.opening import local_path, open_storage
from litegate.storage.user_objects import put
from litegate.tracking import ledger, runs
from litegate.work.step_work import Work

pytestmark = pytest.mark.usefixtures("mlflow_url")

DAY = 86_400


@pytest.fixture(scope="module")
def mlflow_url(own_mlflow_server: Any) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", own_mlflow_server.url)
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        yield own_mlflow_server.url


@pytest.fixture(scope="module")
def recorded(mlflow_url: str, new_toy: Callable[[], Any]) -> Recorded:
    """A registered version, for all who do not change it."""
    return Recorded.of(new_toy())


@dataclass(frozen=True)
class Recorded:
    """A run with a registered version."""

    toy: Any
    request: RegisterRequest
    result: RunResult

    @classmethod
    def of(cls, toy: Any) -> Recorded:
        request = toy.request()
        return cls(toy, request, register.run(request, toy.work))

    def files(self) -> dict[str, bytes]:
        paths = {f"files/{ref.digest}": self.toy.work.path(ref) for ref in set(named(self.request, FileRef))}
        return {name: path.read_bytes() if path.exists() else b"x" for name, path in paths.items()}


@dataclass
class Place:
    """A workspace, and a clock that can be put forward."""

    root: str
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def put_files(self, recorded: Recorded) -> set[str]:
        return {self.put(name, content) for name, content in recorded.files().items()}

    def put(self, name: str, content: bytes = b"x", days: float = 0) -> str:
        path = self.folder / "object"
        path.write_bytes(content)
        put(path, f"{self.root}/{name}")
        path = local_path(f"{self.root}/{name}")
        if path is not None:
            os.utime(path, (time.time() - days * DAY,) * 2)
        return name

    def names(self) -> set[str]:
        return {item.name for page in open_storage(self.root).pages() for item in page}

    def clean(self, days: int = 30, later: float = 0, apply: bool = True) -> Cleaned:
        now = time.time() + later * DAY
        self.monkeypatch.setattr("litegate.steps.clean.time.time", lambda: now)
        request = CleanRequest(
            workspace=self.root,
            cache=str(self.folder / "home-cache"),
            scratch=str(self.folder / "scratch"),
            days=days,
            apply=apply,
        )
        return clean.run(request, Work(self.folder, self.folder / "cache"))


@pytest.fixture(params=["local", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "local":
        return str(tmp_path / "workspace")
    return f"s3://{request.getfixturevalue('s3_bucket')}/workspace"


@pytest.fixture
def place(root: str, recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A workspace with the files of a registered version."""
    made = Place(root, tmp_path, monkeypatch)
    made.put_files(recorded)
    return made


def counts(cleaned: Cleaned) -> dict[tuple[str, str], int]:
    return {(pile.kind, pile.fate): pile.count for pile in cleaned.piles}


def file(text: str) -> str:
    return f"files/{digest_bytes(text.encode())}"


def result(step: str, text: str) -> str:
    return f"results/{step}/{digest_bytes(text.encode())}.json"


def test_what_a_version_needs_stays_and_the_rest_goes_once_it_is_old(place: Place, recorded: Recorded) -> None:
    needed = set(recorded.files())
    unneeded = {place.put(file("old")), place.put(result("convert", "old")), place.put(result("gate", "old"))}

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
    hub = runs.experiment(client, ledger.EXPERIMENT, lambda _: "")
    live, deleted = place.put(file(f"in {place.root}")), place.put(file(f"deleted in {place.root}"))
    for number, name in enumerate((live, deleted)):
        run = client.create_run(hub)
        entry = {"decision": {"digest": name.removeprefix("files/")}}
        client.log_param(run.info.run_id, f"entry-{number:05d}", json.dumps(entry))
    client.delete_run(run.info.run_id)
    cleaned = place.clean(later=40)
    assert {live, deleted} <= place.names()
    assert counts(cleaned)["files", "ledger"] == 2


@pytest.mark.parametrize("root", ["local"], indirect=True)
def test_a_version_keeps_its_files_without_its_runs_and_a_deleted_one_keeps_nothing(
    place: Place, recorded: Recorded, new_toy: Callable[[], Any]
) -> None:
    other, client = Recorded.of(new_toy()), MlflowClient()
    evidence = place.put("files/" + "e" * 64)
    path = client.download_artifacts(other.result.mlflow_run_id, runs.FILES_ARTIFACT, str(place.folder))
    files = [*json.loads(Path(path).read_text()), {"name": "more", "digest": "e" * 64, "bytes": 1}]
    client.log_text(other.result.mlflow_run_id, json.dumps(files), runs.FILES_ARTIFACT)
    client.set_tag(other.result.mlflow_run_id, runs.FILES, digest_json(files))
    for run_id in (*(row.mlflow_run_id for row in other.result.variants), other.result.mlflow_run_id):
        client.delete_run(run_id)
    place.clean(later=40)
    assert evidence in place.names()
    client.delete_registered_model(other.toy.name)
    place.clean(later=40)
    assert place.names() == set(recorded.files())


@pytest.mark.parametrize("root", ["local"], indirect=True)
def test_the_files_behind_each_verdict_on_a_version_stay(place: Place, new_toy: Callable[[], Any]) -> None:
    """Of three runs with the same bytes the second is neither the first nor the last, but has a verdict of its own."""
    toy = new_toy()
    twin = toy.candidate("uint8", file="int8")
    judged = (toy.baseline_verdict(toy.candidate("float32")), toy.verdict(twin))
    for key, changes in (("1", {}), ("2", {"candidates": (twin,), "verdicts": judged}), ("3", {})):
        register.run(toy.request("uint8" if changes else "int8", key, **changes), toy.work)
    outcomes = place.put(f"files/{twin.evaluated.outcomes.digest}")
    place.clean(later=40)
    assert outcomes in place.names()


def test_names_that_are_not_ours_are_never_touched(place: Place) -> None:
    foreign = {
        place.put(name, days=400)
        for name in ("files/model.tflite", f"files/{'A' * 64}", "results/convert/x.json", "results/readme", "notes.txt")
    }
    cleaned = place.clean(later=400)
    assert foreign <= place.names()
    assert {Path(name).name for name in cleaned.foreign} == {Path(name).name for name in foreign}
    assert counts(cleaned)["files", "foreign"] == 2


def test_jobs_whose_caller_was_killed_go(place: Place) -> None:
    job = place.put(f"jobs/{'a' * 32}/job.json")
    assert counts(place.clean())["jobs", "recent"] == 1
    assert job in place.names()
    assert counts(place.clean(later=31))["jobs", "unused"] == 1
    assert job not in place.names()


def test_writes_that_were_cut_short_go(place: Place) -> None:
    left = {place.put("files/.tmp-ab_12"), place.put("results/convert/.tmp-x1")}
    cleaned = place.clean(later=40)
    assert not left & place.names()
    assert counts(cleaned)["unfinished writes", "unused"] == 2


def test_many_are_deleted_page_by_page(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for storage in ("local", "s3"):
        monkeypatch.setattr(f"litegate.storage.{storage}.PAGE", 10)
    before = place.names()
    many = {place.put(file(str(number))) for number in range(25)}
    assert place.names() == before | many
    assert max(len(page) for page in open_storage(place.root).pages()) == 10
    cleaned = place.clean(later=40)
    assert counts(cleaned)["files", "unused"] == 25
    assert place.names() == before


def test_a_workspace_that_mlflow_does_not_know_is_left_alone(root: str, tmp_path: Path, monkeypatch: Any) -> None:
    stranger = Place(root, tmp_path, monkeypatch)
    stranger.put(file("old"), days=400)
    with pytest.raises(StoreError, match="is it the server of this workspace"):
        stranger.clean()
    assert len(stranger.names()) == 1


@pytest.mark.parametrize("root", ["local"], indirect=True)
def test_nothing_is_deleted_when_the_list_of_a_run_cannot_be_read(
    place: Place, recorded: Recorded, own_mlflow_server: Any
) -> None:
    place.put(file("old"))
    before = place.names()
    (listed,) = own_mlflow_server.artifacts.rglob(f"{recorded.result.mlflow_run_id}/artifacts/{runs.FILES_ARTIFACT}")
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
    home = place.folder
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
        "cached datasets": (1, 5),
        "cached objects": (1, 5),
        "scratch folders": (1, 5),
    }
    assert cleaned.foreign == (str(home / "scratch" / "mine"),)


def test_a_registered_run_names_every_file_of_its_request(recorded: Recorded, tmp_path: Path) -> None:
    path = MlflowClient().download_artifacts(recorded.result.mlflow_run_id, runs.FILES_ARTIFACT, str(tmp_path))
    listed = {FileRef.model_validate(item) for item in json.loads(Path(path).read_text())}
    assert listed == set(named(recorded.request, FileRef))
