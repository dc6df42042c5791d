"""The doctor on real installations: the tests' own, and broken ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from litegate.cli import checks
from litegate.cli.main import main
from litegate.stack import Home
from tests import servers

pytestmark = pytest.mark.e2e

ENVIRONMENTS = ("service environment", "tensorflow environment")


@pytest.fixture(autouse=True)
def _own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def examined(capsys: Any, healthy: bool) -> dict[str, dict[str, str]]:
    assert main(["doctor", "--json"]) == (0 if healthy else 1)
    found = json.loads(capsys.readouterr().out)
    assert found["healthy"] == healthy
    return {finding["subject"]: finding for finding in found["findings"]}


def test_this_installation_is_sound(capsys: Any, tmp_path: Path) -> None:
    found = examined(capsys, healthy=True)
    assert {subject: found[subject]["state"] for subject in ENVIRONMENTS} == dict.fromkeys(ENVIRONMENTS, "ok")
    assert "tensorflow 2.21" in found["tensorflow environment"]["found"]
    assert found["servers"]["found"].startswith("none runs in this home")
    assert found["workspace"]["found"] == str(tmp_path / "home" / "workspace")
    assert not (tmp_path / "home").exists(), "it changes nothing"


def test_what_is_wrong_is_said_with_what_helps(capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_TENSORFLOW_PYTHON", sys.executable)  # which has no TensorFlow
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://someone:pa55word@127.0.0.1:9")
    monkeypatch.setenv("LITEGATE_WORKSPACE", "s3://nowhere/workspace")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    specs = tmp_path / "home" / "specs"
    specs.mkdir(parents=True)
    (specs / "bad.yaml").write_text("model: {}\n")
    found = examined(capsys, healthy=False)
    assert "no tensorflow" in found["tensorflow environment"]["found"]
    assert "make setup" in found["tensorflow environment"]["remedy"]
    assert found["spec"]["found"].endswith("bad.yaml: model.name: expected a value, the key is required, got nothing")
    assert (found["MLflow"]["state"], found["workspace"]["state"]) == ("error", "error")
    assert "pa55word" not in json.dumps(found)


def test_a_missing_environment_is_said_in_lines(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_TENSORFLOW_PYTHON", str(tmp_path / "python"))
    monkeypatch.setattr("litegate.cli.doctor.CHECKS", (checks.environments,))
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[1].startswith("wrong   tensorflow environment: no Python with TensorFlow at")
    assert said[2:] == [f"{'':<8}  -> run `make setup`", "1 wrong, 0 warnings"]


def test_an_mlflow_that_answers(
    tmp_path: Path, mlflow_server: servers.MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)
    found = {finding.subject: finding.state for finding in checks.servers(Home(tmp_path))}
    assert found == {"servers": "ok", "MLflow": "ok", "workspace": "ok"}
