"""Versions that nobody has signed, those that an older litegate has registered, and evidence that was not kept."""

from __future__ import annotations

import json

import pytest
from mlflow import MlflowClient

from litegate.errors import BadInput
from litegate.execution.step_run import StepRun
from litegate.settings import SIGNING_KEY
from litegate.steps import STEPS
from tests.components.verification.conftest import entries_of, register_signed
from tests.registering import new_name, register, take

pytestmark = pytest.mark.usefixtures("mlflow_url")


@pytest.fixture(scope="module")
def unsigned(models, places, mlflow_server, mlflow_url, keys, warm_service):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(SIGNING_KEY, raising=False)
        yield register_signed(models, places, mlflow_server, keys)


def test_what_nobody_has_signed_is_not_verified_unless_that_is_allowed(verify, unsigned):
    found = verify(model=unsigned.name, key=None)
    assert (found.code, found.not_good) == (5, {"signature": "unknown"})
    assert found.said("signature") == "not signed"
    allowed = verify("--allow-unsigned", model=unsigned.name, key=None)
    assert (allowed.code, allowed.not_good) == (0, {})
    assert "whoever can write to MLflow may have written it" in allowed.said("signature")
    asked = verify(model=unsigned.name)
    assert (asked.code, asked.checks["signature"]) == (3, ("bad", "not signed"))


def test_the_registry_says_who_has_signed(unsigned, registered):
    tags = [MlflowClient().get_model_version(each.name, "1").tags for each in (unsigned, registered)]
    assert tags[0]["statement.signed_by"] == "unsigned"
    assert len(tags[1]["statement.signed_by"]) == 64
    assert all(len(each["statement_sha256"]) == 64 for each in tags)


def test_a_key_beside_allow_unsigned_is_refused(verify, unsigned, capsys):
    with pytest.raises(KeyError):
        verify("--allow-unsigned", model=unsigned.name)
    assert "--allow-unsigned: expected no key beside it" in capsys.readouterr().err


def test_a_version_of_an_older_litegate_is_not_verified(verify):
    client, name = MlflowClient(), new_name()
    register(client, name, "int8")
    found = verify("--version", "1", model=name)
    assert (found.code, found.not_good) == (5, {"signature": "unknown"})
    assert "an older litegate has registered the version" in found.said("signature")


def test_what_the_gate_was_asked_must_have_been_kept(verify, unsigned, places):
    request = unsigned.request.model_copy(update={"gate": None, "run_key": "quantize/without"})
    StepRun(STEPS["register"], request, places).run()
    found = verify("--allow-unsigned", "--version", "1", model=unsigned.name, key=None)
    assert (found.code, found.not_good) == (5, {"verdict": "unknown"})
    assert "what the gate was asked was not kept" in found.said("verdict")


def test_registering_again_writes_no_other_statement(unsigned, places):
    def found() -> tuple[str, int]:
        tags = MlflowClient().get_model_version(unsigned.name, "1").tags
        return tags["statement_sha256"], unsigned.artifact("statement.intoto.json").stat().st_mtime_ns

    StepRun(STEPS["register"], unsigned.request, places).run()
    before = found()
    StepRun(STEPS["register"], unsigned.request, places).run()
    assert found() == before


def test_what_is_kept_for_outsiders_names_no_secret(registered):
    private = registered.keys.private.read_text().splitlines()[1]
    kept = [path for path in registered.server.artifacts.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if private.encode() in path.read_bytes()]
    database = (registered.server.artifacts.parent / "mlflow.db").read_bytes()
    assert private.encode() not in database
    assert str(registered.keys.private).encode() not in database
    statement = json.loads(registered.artifact("statement.intoto.json").read_text())
    assert statement["payloadType"] == "application/vnd.in-toto+json"


def test_a_key_that_is_none_is_told_before_anything_is_written(unsigned, places, monkeypatch, tmp_path):
    (tmp_path / "key.pem").write_text("no key")
    monkeypatch.setenv(SIGNING_KEY, str(tmp_path / "key.pem"))
    request = unsigned.request.model_copy(update={"run_key": "quantize/with-no-key"})
    with pytest.raises(BadInput, match="LITEGATE_SIGNING_KEY: expected a private key in PEM form"):
        StepRun(STEPS["register"], request, places).run()
    experiment = MlflowClient().get_experiment_by_name(f"quantize/{unsigned.name}")
    runs = MlflowClient().search_runs([experiment.experiment_id])
    assert "quantize/with-no-key" not in {run.data.tags.get("litegate.run_key") for run in runs}
    before = entries_of(unsigned)
    with pytest.raises(BadInput, match="LITEGATE_SIGNING_KEY"):
        take(MlflowClient(), unsigned.name, "frozen", 1)
    assert entries_of(unsigned) == before
