"""The distributed profile, running, with the small model and, where they are, the real model and its data on S3."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy.distributed.cluster import Cluster

from tests.distributed.runs import Distributed, spec_file
from tests.models.once import Maker

ROOT = Path(__file__).parents[2]
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
def distributed(package: Path, maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Distributed]:
    """Every server, with spec files on each host, and models and data on S3 alone."""
    folder = tmp_path_factory.mktemp("inputs")
    small = maker.make(folder / "small", str(MAKER), "{folder}", sources=(MAKER,))
    specs = [spec_file(folder, "small", "keras3.keras", "calibration.npz", "test.npz", format="npz")]
    if (REAL / "model.h5").exists():
        specs.append(spec_file(folder, "resnet8", "model.h5", "train.tar", "test.tar", format="images"))
    with (
        tempfile.TemporaryDirectory(prefix="litegate-distributed-") as root,
        Cluster(Path(root), specs, [package]) as cluster,
    ):
        for name, source in (("small", small), ("resnet8", REAL)):
            upload(cluster, name, source)
        yield Distributed(cluster)


def upload(cluster: Cluster, name: str, source: Path) -> None:
    for file in sorted(source.glob("*")) if source.is_dir() else ():
        if file.suffix in (".h5", ".keras", ".npz", ".tar"):
            cluster.s3().upload_file(str(file), "models", f"{name}/{file.name}")
