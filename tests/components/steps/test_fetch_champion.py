"""The file behind the registry's alias, from a real MLflow server."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow import MlflowClient

from litegate.digest import digest_file
from litegate.errors import StoreError
from litegate.inspection.tflite import describe
from litegate.records import ChampionFile, ChampionRequest
from litegate.steps import fetch_champion
from litegate.tracking import models, registry
from litegate.work.step_work import Work

pytestmark = pytest.mark.usefixtures("mlflow_url")


@dataclass(frozen=True)
class Registered:
    """A registered model of the test's own."""

    name: str
    folder: Path
    files: dict[str, Path]

    def add(self, variant: str) -> int:
        """A version with the file of a variant."""
        client, file = MlflowClient(), Path(shutil.copy(self.files[variant], self.folder / f"{variant}.tflite"))
        experiment = client.create_experiment(f"{self.name}-{variant}")
        run = client.create_run(experiment)
        ((key, signature),) = describe(file.read_bytes()).items()
        model = models.ensure_model(client, run, file, (key, signature), {}, {})
        tags = {registry.DIGEST: digest_file(file), registry.VARIANT: variant, registry.STATE: registry.PASSED}
        return registry.ensure_version(client, self.name, model.model_id, run.info.run_id, tags, lambda _: "note")

    def fetch(self, alias: str = "champion") -> tuple[ChampionFile, Work]:
        work = Work(self.folder / uuid.uuid4().hex, self.folder / "cache")
        work.folder.mkdir()
        return fetch_champion.run(ChampionRequest(registry=self.name, alias=alias), work), work


@pytest.fixture
def registered(tflite_files: dict[str, Path], tmp_path: Path) -> Registered:
    return Registered(f"toy-{uuid.uuid4().hex[:8]}", tmp_path, tflite_files)


def stored_file(mlflow_server, name: str, version: int) -> Path:
    model_id = MlflowClient().get_model_version(name, str(version)).source.removeprefix("models:/")
    (file,) = mlflow_server.artifacts.rglob(f"{model_id}/artifacts/artifacts/*.tflite")
    return file


def test_a_model_that_was_never_registered_has_no_champion(registered):
    assert registered.fetch()[0] == ChampionFile(version=None, artifact=None)


def test_a_model_that_was_never_promoted_has_no_champion(registered):
    registered.add("int8")
    assert registered.fetch()[0] == ChampionFile(version=None, artifact=None)


def test_the_version_behind_the_alias_is_handed_back_byte_by_byte(registered):
    versions = [registered.add(variant) for variant in ("dynamic_range", "int8")]
    client = MlflowClient()
    for alias, version in zip(("champion", "previous"), reversed(versions), strict=True):
        client.set_registered_model_alias(registered.name, alias, str(version))

    for alias, version, variant in (("champion", 2, "int8"), ("previous", 1, "dynamic_range")):
        found, work = registered.fetch(alias)
        content = registered.files[variant].read_bytes()
        assert found.version == version
        assert (found.artifact.variant, found.artifact.file.name) == ("champion", "champion.tflite")
        assert found.artifact.signatures == describe(content)
        assert (work.outputs / found.artifact.file.digest).read_bytes() == content


def test_no_native_code_opens_the_file_beside_the_credentials_of_mlflow(registered, monkeypatch):
    MlflowClient().set_registered_model_alias(registered.name, "champion", str(registered.add("int8")))
    expected = describe(registered.files["int8"].read_bytes())
    monkeypatch.delattr("litegate.runtimes.litert.Interpreter")
    assert registered.fetch()[0].artifact.signatures == expected


def test_a_champion_whose_bytes_were_changed_is_not_compared_with(registered, mlflow_server):
    MlflowClient().set_registered_model_alias(registered.name, "champion", str(registered.add("int8")))
    file = stored_file(mlflow_server, registered.name, 1)
    file.write_bytes(file.read_bytes()[:-1] + b"!")

    with pytest.raises(StoreError, match=rf"models:/{registered.name}/1: expected [0-9a-f]{{64}}, got"):
        registered.fetch()


def test_a_champion_whose_file_is_gone_is_an_error(registered, mlflow_server):
    MlflowClient().set_registered_model_alias(registered.name, "champion", str(registered.add("int8")))
    stored_file(mlflow_server, registered.name, 1).unlink()

    with pytest.raises(StoreError, match=r"expected one \.tflite, got 0"):
        registered.fetch()


def test_a_champion_without_a_digest_is_an_error(registered):
    MlflowClient().set_registered_model_alias(registered.name, "champion", str(registered.add("int8")))
    MlflowClient().delete_model_version_tag(registered.name, "1", "tflite_sha256")

    with pytest.raises(StoreError, match="no tag tflite_sha256: move the alias"):
        registered.fetch()


def test_a_server_that_does_not_answer_is_not_taken_for_no_champion(registered, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        registered.fetch()
