"""What docs/how-to/your-airflow.md says, from the built wheel, with an AIRFLOW_HOME outside of the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from litegate.settings import settings
from tests.servers import MlflowServer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/your-airflow.md").read_text()
FILES = re.findall(r"```python\n(.*?)```", PAGE, re.S)
MAKE = """
import pathlib, sys
import make_models

folder = pathlib.Path(sys.argv[1])
make_models.data(folder)
make_models.trained(make_models.keras, folder).save(folder / "m.keras")
"""
SPEC = """
model: {name: mine, uri: m.keras}
calibration: {uri: calibration.npz, format: npz, samples: 32}
evaluation: {uri: test.npz, format: npz}
variants: [dynamic_range]
gate: {max_drop: 0.1}
"""

pytestmark = pytest.mark.e2e
Airflow = Callable[..., str]


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, mlflow_server: MlflowServer) -> Airflow:
    """`airflow` of an environment with the wheel; what the wheel needs it takes from this one, without a download."""
    folder = tmp_path_factory.mktemp("theirs")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (packages,) = (folder / "venv").glob("lib/python3*/site-packages")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(packages)
    (packages / "others.pth").write_text(next(path for path in sys.path if path.endswith("site-packages")))
    dags = folder / "airflow" / "dags"
    dags.mkdir(parents=True)
    for number, text in enumerate(FILES):
        (dags / f"file_{number}.py").write_text(text)
    (dags / "model.yaml").write_text(SPEC)
    command = [str(settings().pythons["tensorflow"]), "-c", MAKE, str(dags)]
    subprocess.run(command, cwd=ROOT / "tests/models", check=True, capture_output=True)
    dropped = ("AIRFLOW", "_AIRFLOW", "AWS_", "MLFLOW_", "LITEGATE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)} | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_MLFLOW_RUNS": mlflow_server.url,
        "LITEGATE_HOME": str(folder / "home"),
        "LITEGATE_TENSORFLOW_PYTHON": command[0],
    }

    def run(*arguments: str, code: int = 0) -> str:
        program = [folder / "venv/bin/python", "-m", "airflow", *arguments]
        done = subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    run("db", "migrate")
    return run


def test_the_files_of_the_page_are_dags(airflow: Airflow) -> None:
    airflow("dags", "reserialize")
    assert "No data found" in airflow("dags", "list-import-errors")
    listed = airflow("dags", "list", "--output", "plain")
    assert {line.split()[0] for line in listed.splitlines() if "file_" in line} == {
        "quantize_mine",
        "quantize_spread",
        "nightly_with_gate",
        "only_quantize",
    }


def test_a_run_of_the_page_s_dag_promotes(airflow: Airflow, mlflow_server: MlflowServer) -> None:
    from mlflow import MlflowClient

    airflow("pools", "set", "litegate", "2", "litegate")
    airflow("dags", "test", "nightly_with_gate")
    assert MlflowClient(mlflow_server.url).get_model_version_by_alias("mine", "champion").version == "1"
