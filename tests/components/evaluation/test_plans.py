"""Which samples the target sees, of those that the host sees: a random part, of whole groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.datasets import open_dataset
from litegate.digest import digest_bytes
from litegate.evaluation.order import order_of
from litegate.evaluation.plans import plan_of
from litegate.records import Artifact, DataRef, EvaluateRequest, FileRef
from litegate.runtimes.litert import Tensor
from litegate.work.step_work import Work

SAMPLES = 200
FILE = FileRef(name="f", digest=digest_bytes(b""), bytes=0)
INPUTS = {"x": Tensor((-1, 1), np.dtype(np.float32), 0.0, 0)}


@pytest.fixture
def dataset(tmp_path: Path) -> Any:
    from litegate.datasets.snapshots import snapshot_data
    from litegate.spec import parse_spec

    values, group = np.arange(SAMPLES, dtype=np.float32)[:, np.newaxis], np.repeat(np.arange(SAMPLES // 8), 8)
    np.savez(tmp_path / "data.npz", x=values, label=np.zeros(SAMPLES, np.int64), video=group)

    def opened(group: str | None) -> Any:
        keys = {"uri": str(tmp_path / "data.npz"), "format": "npz"}
        spec = parse_spec(
            {"model": {"name": "m", "uri": "m"}, "calibration": keys, "evaluation": keys | {"group": group}}
        )
        work = Work(tmp_path, tmp_path / "cache")
        ref: DataRef = snapshot_data(spec.evaluation, "evaluation.uri", work)
        work.path(ref.manifest).parent.mkdir(parents=True, exist_ok=True)
        (work.outputs / ref.manifest.digest).rename(work.path(ref.manifest))
        return ref, open_dataset(ref, work, "evaluation.uri", INPUTS)

    return opened


def request(ref: DataRef, **keys: Any) -> EvaluateRequest:
    artifact = Artifact(variant="int8", file=FILE, signatures={})
    return EvaluateRequest(
        **{"artifact": artifact, "data": ref, "metric": "top1", "max_samples": None, "seed": 3, "host": "litert"} | keys
    )


def test_a_smaller_part_is_one_of_a_larger(dataset: Any) -> None:
    ref, data = dataset(None)
    small, large = (plan_of(request(ref, target_samples=count), data, None).order for count in (40, 90))
    assert (len(small), len(large)) == (40, 90)
    assert set(small) < set(large)


def test_it_is_a_part_of_what_the_host_sees(dataset: Any) -> None:
    ref, data = dataset(None)
    asked = request(ref, target_samples=40, max_samples=60)
    assert set(plan_of(asked, data, None).order) < set(order_of(asked.choice, data))
    assert len(order_of(asked.choice, data)) == 60


def test_groups_stay_whole(dataset: Any) -> None:
    ref, data = dataset("video")
    plan = plan_of(request(ref, target_samples=45), data, None)
    _, counts = np.unique(plan.order // 8, return_counts=True)
    assert (len(plan.order), set(counts.tolist())) == (40, {8})
    assert plan.largest_group == 8


def test_a_part_that_is_smaller_than_a_group_is_one_group(dataset: Any) -> None:
    ref, data = dataset("video")
    order = plan_of(request(ref, target_samples=30), data, None).order
    assert len(order) == 24
    assert len(plan_of(request(ref, target_samples=30, max_samples=4), data, None).order) == 4


def test_a_part_of_all_is_all(dataset: Any) -> None:
    ref, data = dataset(None)
    assert plan_of(request(ref, target_samples=SAMPLES), data, None).order == range(SAMPLES)
