"""What the digest of each sample's inputs costs: its share of an evaluation of int8 ResNet-8 on 2,000 real images.

Both are clocked within one process and one run, so that a busy host counts for both.
`python -m tests.benchmarks.bench_fed`; LITEGATE_REAL_DATA names the folder of the real data.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from litegate.datasets import Dataset, open_dataset
from litegate.datasets.features import FeatureReader
from litegate.datasets.snapshots import snapshot_data
from litegate.evaluation import lockstep
from litegate.runtimes.litert import LiteRTModel
from litegate.spec import parse_spec
from litegate.storage.workspace import Workspace
from litegate.work.step_work import Work
from tests.benchmarks.real_model import REAL, pipeline_of

__all__ = ["main", "share_of_digest"]

_SAMPLES = 2_000


def main() -> None:
    """Convert the model, evaluate it and print the share."""
    with tempfile.TemporaryDirectory(prefix="bench-fed-") as home:
        steps = pipeline_of(REAL, Path(home))
        file = Workspace(steps.places.workspace, steps.places.cache).fetch(steps.quantize("int8").file)
        share = share_of_digest(file, REAL / "test.tar")
    print(f"share of the digests: {100 * share:.2f} % of an evaluation")


def share_of_digest(content: Path, images: Path) -> float:
    """Seconds spent on digests as a share of all that an evaluation takes, in one process."""
    model = LiteRTModel(content.read_bytes())
    reader = FeatureReader(_dataset(images, model), model.inputs, model.signature, "evaluation.uri")
    job = lockstep.Job((content,), model.signature, "litert", reader, "top1", None, None, 10)
    spent, digests = [0.0], lockstep.fed_digests

    def clocked(*arguments: Any) -> Any:
        begin = time.perf_counter()
        found = digests(*arguments)
        spent[0] += time.perf_counter() - begin
        return found

    with mock.patch.object(lockstep, "fed_digests", clocked):
        begin = time.perf_counter()
        together = lockstep.Lockstep(job)
        for index, labels, features in together.batches(np.arange(_SAMPLES)):
            together.identity(index, labels, features)
            together.measured(0, features, labels)
        return spent[0] / (time.perf_counter() - begin)


def _dataset(images: Path, model: LiteRTModel) -> Dataset:
    folder = Path(tempfile.mkdtemp(prefix="bench-fed-"))
    keys = {"uri": str(images), "format": "images"}
    spec = parse_spec({"model": {"name": "x", "uri": "x"}, "calibration": keys, "evaluation": keys})
    work = Work(folder, folder / "cache")
    ref = snapshot_data(spec.evaluation, "evaluation.uri", work)
    work.path(ref.manifest).parent.mkdir(parents=True)
    (work.outputs / ref.manifest.digest).rename(work.path(ref.manifest))
    return open_dataset(ref, work, "evaluation.uri", model.inputs)


if __name__ == "__main__":
    main()
