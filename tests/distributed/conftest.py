"""One model on the embedded servers and on the distributed profile: the real one where it is, else a small one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.distributed.cluster import Cluster
from deploy.distributed.installation import ROOT, build_wheel, environment
from tests.distributed.runs import Distributed, Recorded, recorded, spec_file
from tests.models.once import Maker

REAL = Path(os.environ.get("LITEGATE_REAL_DATA") or ROOT.parent / "shared" / "real") / "resnet8-cifar10"
MAKER = ROOT / "tests" / "models" / "make_models.py"
CODE = '''\
"""How images reach the model that was trained on pixels from 0 to 255."""

import numpy as np


def prepare(features, label):
    return {name: np.asarray(value, np.float32) for name, value in features.items()}, label
'''
PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "acme-vision"
version = "1.0.0"
"""


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a user's code."""
    folder = tmp_path_factory.mktemp("acme")
    (folder / "acme_vision").mkdir()
    (folder / "acme_vision" / "__init__.py").write_text(CODE)
    (folder / "pyproject.toml").write_text(PROJECT)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def spec(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The spec; the files that it names are beside it."""
    folder = tmp_path_factory.mktemp("inputs")
    if (REAL / "model.h5").exists():
        for file in REAL.glob("*.*"):
            (folder / file.name).symlink_to(file)
        return spec_file(folder, "resnet8", "model.h5", "train.tar", "test.tar", format="images")
    maker.make(folder, str(MAKER), "{folder}", sources=(MAKER,))
    return spec_file(folder, "small", "keras3.keras", "calibration.npz", "test.npz", format="npz")


@pytest.fixture(scope="session")
def embedded(spec: Path, package: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recorded]:
    """What MLflow has of the model's run on the embedded servers, by variant; they have ended then."""
    folder = tmp_path_factory.mktemp("embedded")
    wheels = (build_wheel(folder), package)
    python = environment(folder / "tensorflow", ROOT / ".venv-tensorflow", wheels)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "AWS_"))}
    variables = kept | {"LITEGATE_TENSORFLOW_PYTHON": str(python), "LITEGATE_HOME": str(folder / "home")}

    def litegate(*arguments: str) -> str:
        command = [str(Path(sys.executable).parent / "litegate"), *arguments]
        done = subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    litegate("start")
    try:
        lines = (line.removeprefix("export ").partition("=") for line in litegate("env").splitlines())
        found = {name: value.strip("'\"") for name, _, value in lines}
        keys = {
            "aws_access_key_id": found["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": found["AWS_SECRET_ACCESS_KEY"],
        }
        client = boto3.client("s3", endpoint_url=found["AWS_ENDPOINT_URL_S3"], region_name="us-east-1", **keys)
        client.create_bucket(Bucket="models")
        upload(client, spec)
        litegate("run", str(spec))
        return recorded(found["MLFLOW_TRACKING_URI"], spec.stem)
    finally:
        litegate("stop")


SHARDS = 8
"""So many that the worker which converts still has ended its last task when some are left."""


@pytest.fixture(scope="session")
def distributed(embedded: dict[str, Recorded], spec: Path, package: Path) -> Iterator[Distributed]:
    """Every server, with the spec file on each host, and the model and its data on S3 alone."""
    with (
        tempfile.TemporaryDirectory(prefix="litegate-distributed-") as root,
        Cluster(Path(root), [spec], [package], SHARDS) as cluster,
    ):
        upload(cluster.s3(), spec)
        yield Distributed(cluster)


def upload(client: Any, spec: Path) -> None:
    """The files beside a spec go to where it says that they are."""
    for file in sorted(spec.parent.iterdir()):
        if file.suffix in (".h5", ".keras", ".npz", ".tar"):
            client.upload_file(str(file), "models", f"{spec.stem}/{file.name}")
