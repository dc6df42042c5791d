"""The parts around a step: what they take, what they leave, and what of a step's own files never goes anywhere."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from litegate.digest import OtherBytes
from litegate.execution.executor import PreparedStep
from litegate.execution.preparation import prepared
from litegate.records import Artifact, DataRef, FileRef, InspectRequest, SampleRequest, UserCode
from litegate.remote import parts
from litegate.remote.__main__ import main
from litegate.remote.carrying import Carrier, stays_here, wants_data
from litegate.remote.job import RETURNED, Returned
from litegate.settings import Settings, settings
from litegate.steps import STEPS
from litegate.storage.workspace import Workspace

CONTENT = b"a model"
FILE = FileRef(name="float32.tflite", digest=hashlib.sha256(CONTENT).hexdigest(), bytes=len(CONTENT))
MANIFEST = FileRef(name="manifest.jsonl", digest=hashlib.sha256(b"").hexdigest(), bytes=0)
ARTIFACT = Artifact(variant="float32", file=FILE, signatures={})
INSPECT = InspectRequest(artifact=ARTIFACT, baseline=None, source="model", target="cpu")


@dataclass
class Hosts:
    """The caller's places, and another host's below one folder; they have the workspace in common."""

    places: Settings
    there: Path

    def prepared(self, step: str, request: Any) -> PreparedStep:
        folder = self.places.scratch / step
        folder.mkdir(parents=True)
        return prepared(STEPS[step], request, folder, (), self.places)

    def sent(self, ready: PreparedStep) -> tuple[Carrier, str]:
        carrier = Carrier("job", self.places)
        return carrier, carrier.send(ready)

    def ended(self, returned: Returned) -> None:
        """As the part `step` leaves it."""
        (self.there / "ending" / RETURNED).write_text(returned.model_dump_json())


@pytest.fixture
def own_variables() -> Iterator[None]:
    """A container is the job's alone, and takes over its variables for good; this process is not."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def hosts(tmp_path: Path, own_variables: None, monkeypatch: pytest.MonkeyPatch) -> Hosts:
    here, there = tmp_path / "here", tmp_path / "there"
    for name in ("inputs", "work", "ending"):
        (there / name).mkdir(parents=True)
    found = {"ROOT": there, "INPUTS": there / "inputs", "WORK": there / "work", "ENDING": there / "ending"}
    found |= {"CACHE": there / "inputs" / "cache", "FOLDER": there / "work" / "step"}
    for name, path in found.items():
        monkeypatch.setattr(parts, name, path)
    monkeypatch.setenv("LITEGATE_WORKSPACE", str(tmp_path / "workspace"))
    places = Settings(str(tmp_path / "workspace"), here / "cache", here / "scratch", settings().pythons)
    for content, ref in ((CONTENT, FILE), (b"", MANIFEST)):
        (tmp_path / "content").write_bytes(content)
        Workspace(places.workspace, places.cache).keep_file(tmp_path / "content", ref.name)
    return Hosts(places, there)


def test_a_job_and_its_files_come_whole(hosts: Hosts) -> None:
    _, digest = hosts.sent(hosts.prepared("inspect", INSPECT))
    parts.stage_in("job", digest)
    assert (hosts.there / "inputs" / "cache" / "files" / FILE.digest).read_bytes() == CONTENT
    assert (hosts.there / "work" / "step").stat().st_mode & 0o777 == 0o700


def test_another_job_than_the_one_that_was_sent_is_refused(hosts: Hosts) -> None:
    hosts.sent(hosts.prepared("inspect", INSPECT))
    with pytest.raises(OtherBytes):
        parts.stage_in("job", "0" * 64)
    assert not (hosts.there / "inputs" / "job.json").exists()


def test_what_goes_wrong_is_said_in_one_line(hosts: Hosts, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stage-in", "nothing", "0" * 64]) == 70
    assert capsys.readouterr().err.startswith("stage-in: FileNotFoundError: ")


def test_a_server_that_does_not_answer_may_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: str) -> None:
        raise ConnectionRefusedError("no S3")

    monkeypatch.setattr("litegate.remote.__main__.PARTS", {"stage-in": unreachable})
    assert main(["stage-in", "job", "digest"]) == 75


def test_code_that_the_host_has_not_is_bad_input(hosts: Hosts, tmp_path: Path) -> None:
    code = UserCode(reference="mine:preprocess", folder=str(tmp_path / "code"), digest="a" * 64)
    (tmp_path / "code").mkdir()
    data = DataRef(uri=str(tmp_path / "data"), digest="a" * 64, manifest=MANIFEST, format="npz")
    ready = hosts.prepared("inspect", INSPECT)
    request = SampleRequest(data=data, artifact=ARTIFACT, samples=1, seed=1, preprocess=code)
    _step_of(ready, "sample", request, hosts)
    (tmp_path / "code").rmdir()
    parts.step("job", "")
    error = json.loads((hosts.there / "work" / "step" / "error.json").read_text())
    assert error["where"] == str(tmp_path / "code")
    assert error["expected"] == "a path that this host has too: mount it by the template"
    assert Returned.model_validate_json((hosts.there / "ending" / RETURNED).read_text()).code == 2


@pytest.mark.parametrize("kind", ["link", "hard link", "nothing"])
def test_only_files_that_the_step_wrote_are_stored(hosts: Hosts, tmp_path: Path, kind: str) -> None:
    """A step that names the credentials of the part that stores, or any other file, gets nothing of it out."""
    ready = hosts.prepared("inspect", INSPECT)
    carrier, digest = hosts.sent(ready)
    parts.stage_in("job", digest)
    secret = tmp_path / "secret"
    secret.write_text("a key")
    folder = hosts.there / "work" / "step"
    outputs = folder / "outputs"
    outputs.mkdir()
    name = hashlib.sha256(b"a key").hexdigest()
    _MAKE[kind](outputs / name, secret)
    (folder / "result.json").symlink_to(secret)
    hosts.ended(Returned())
    parts.stage_out("job", "")
    returned = carrier.receive(ready.folder)
    assert returned is not None
    assert returned.outputs == ()
    assert not (ready.folder / "result.json").exists()
    assert not list((tmp_path / "workspace" / "files").glob(name))


def test_nothing_of_a_job_is_left_once_it_is_forgotten(hosts: Hosts, tmp_path: Path) -> None:
    carrier, digest = hosts.sent(hosts.prepared("inspect", INSPECT))
    parts.stage_in("job", digest)
    hosts.ended(Returned(code=1, said="it crashed"))
    parts.stage_out("job", "")
    assert (tmp_path / "workspace" / "jobs" / "job" / RETURNED).is_file()
    carrier.forget()
    assert [path for path in (tmp_path / "workspace" / "jobs").rglob("*") if path.is_file()] == []


def test_what_did_not_come_back_is_nothing(hosts: Hosts) -> None:
    assert Carrier("job", hosts.places).receive(hosts.places.scratch) is None


def test_the_variables_that_go_along_are_limits_and_what_means_the_same_there(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("LITEGATE_ISOLATION", "required")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    _, digest = hosts.sent(hosts.prepared("inspect", INSPECT))
    parts.stage_in("job", digest)
    variables = json.loads((hosts.there / "inputs" / "job.json").read_text())["variables"]
    assert variables["OMP_NUM_THREADS"] == "3"
    assert variables["LITEGATE_ISOLATION"] == "required"
    assert variables["LITEGATE_TIME_LIMIT"] == "1800.000"
    assert not variables.keys() & {"PATH", "HOME", "TMPDIR", "AWS_SECRET_ACCESS_KEY"}


def test_steps_with_secrets_and_of_this_very_host_stay(hosts: Hosts) -> None:
    ready = hosts.prepared("inspect", INSPECT)
    assert not stays_here(ready, INSPECT, hosts.places)
    for name in ("register", "prepare", "train", "clean", "benchmark"):
        assert stays_here(_as(ready, name), INSPECT, hosts.places), name


def test_data_on_s3_has_to_be_served_and_data_of_this_host_has_not(tmp_path: Path) -> None:
    def request(uri: str) -> SampleRequest:
        data = DataRef(uri=uri, digest="a" * 64, manifest=MANIFEST, format="npz")
        return SampleRequest(data=data, artifact=ARTIFACT, samples=1, seed=1)

    assert wants_data(request("s3://bucket/data"))
    assert not wants_data(request(str(tmp_path)))
    assert not wants_data(INSPECT)


def _step_of(ready: PreparedStep, step: str, request: Any, hosts: Hosts) -> None:
    """Another request in the place of one that is prepared, staged on the other host."""
    (ready.folder / "request.json").write_text(request.model_dump_json())
    _, digest = hosts.sent(_as(ready, step))
    parts.stage_in("job", digest)


def _as(ready: PreparedStep, step: str) -> PreparedStep:
    return PreparedStep(**(vars(ready) | {"step": STEPS[step]}))


_MAKE: dict[str, Callable[[Path, Path], None]] = {
    "link": lambda path, secret: path.symlink_to(secret),
    "hard link": lambda path, secret: path.hardlink_to(secret),
    "nothing": lambda path, secret: None,
}
