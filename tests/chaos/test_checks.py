"""Each thing that the checks are to find is made, in a real MLflow and a real workspace, and found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow import MlflowClient

from litegate.records import Champion
from litegate.storage.workspace import Workspace
from tests.chaos.checks import Promotion, Wrong, objects_below, registry_findings, unfinished, workspace_findings
from tests.registering import accept, new_name, register
from tests.servers import MlflowServer


@dataclass(frozen=True)
class Model:
    """A registered model with one version, which a run has promoted."""

    client: MlflowClient
    name: str
    version: Champion

    @property
    def told(self) -> Promotion:
        return Promotion(self.name, "", self.version.version, self.version.digest)

    def found(self, told: Promotion | None = None) -> set[Wrong]:
        return {each.wrong for each in registry_findings(self.client, self.name, [told or self.told])}

    def run(self, ended: bool) -> None:
        """A pipeline run's record."""
        experiment = self.client.get_experiment_by_name(f"quantize/{self.name}")
        number = experiment.experiment_id if experiment else self.client.create_experiment(f"quantize/{self.name}")
        run = self.client.create_run(number, tags={"litegate.run_key": "quantize/run"})
        if ended:
            self.client.set_terminated(run.info.run_id)


@pytest.fixture
def model(mlflow_server: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> Model:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    client, name = MlflowClient(mlflow_server.url), new_name()
    version = register(client, name, "int8")
    accept(client, name, version, "run", "2026-01-01T00:00:00+00:00")
    return Model(client, name, version)


def test_what_a_run_leaves_is_in_order(model: Model) -> None:
    model.run(ended=True)
    assert model.found() == set()
    assert list(unfinished(model.client, model.name)) == []


def elsewhere(model: Model) -> None:
    other = register(model.client, model.name, "float16")
    model.client.set_registered_model_alias(model.name, "champion", str(other.version))


def not_passed(model: Model) -> None:
    model.client.set_model_version_tag(model.name, str(model.version.version), "gate.state", "failed")


def other_bytes(model: Model) -> None:
    model.client.set_model_version_tag(model.name, str(model.version.version), "tflite_sha256", "0" * 64)


def doubled_version(model: Model) -> None:
    first = model.client.get_model_version(model.name, str(model.version.version))
    number = first.source.removeprefix("models:/")
    model.client.create_model_version(model.name, first.source, first.run_id, dict(first.tags), model_id=number)


def doubled_run(model: Model) -> None:
    model.run(ended=True)
    model.run(ended=True)


@pytest.mark.parametrize(
    ("damage", "wrong"),
    [
        (elsewhere, {Wrong.PROMOTED}),
        (not_passed, {Wrong.PROMOTED}),
        (other_bytes, {Wrong.PROMOTED, Wrong.LOST}),
        (doubled_version, {Wrong.DOUBLED}),
        (doubled_run, {Wrong.DOUBLED}),
    ],
)
def test_what_is_wrong_in_mlflow_is_found(model: Model, damage: Callable[[Model], None], wrong: set[Wrong]) -> None:
    damage(model)
    assert model.found() == wrong


def test_a_promotion_that_was_told_and_is_not_there_is_lost(model: Model) -> None:
    assert model.found(Promotion(model.name, "", 9, "0" * 64)) == {Wrong.LOST}
    assert model.found(Promotion(model.name, "another run", model.version.version, model.version.digest)) == {
        Wrong.LOST
    }


def test_a_run_that_nobody_ends_is_found(model: Model) -> None:
    model.run(ended=False)
    assert [each.wrong for each in unfinished(model.client, model.name)] == [Wrong.BY_HAND]


def test_objects_of_a_workspace_that_are_not_whole_are_found(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    workspace = Workspace(str(root), tmp_path / "cache")
    (tmp_path / "file").write_bytes(b"content")
    workspace.keep_file(tmp_path / "file", "file")
    workspace.keep_result("sample", "key", {"found": 1})
    assert list(workspace_findings(objects_below(root))) == []
    for path in (*(root / "files").iterdir(), root / "results/sample/key.json"):
        path.write_bytes(path.read_bytes()[:-1])
    assert [each.wrong for each in workspace_findings(objects_below(root))] == [Wrong.LOST, Wrong.LOST]
