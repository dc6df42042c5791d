"""Steps as pods: the provider's client, a fake API server, and the real parts of the pod as processes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from litegate.settings import Settings
from litegate.storage.s3 import s3_client
from tests.operators.runtime.pods.fake_api import FakeKubernetes
from tests.single_steps import Steps

pytestmark = pytest.mark.e2e


@pytest.fixture
def spec(models: Path, s3_bucket: str) -> dict[str, Any]:
    """The calibration data lie on S3, and the model on this host."""
    s3_client().upload_file(str(models / "calibration.npz"), s3_bucket, "data/calibration.npz")
    return {
        "model": {"name": "test", "uri": str(models / "keras3.keras")},
        "calibration": {"uri": f"s3://{s3_bucket}/data/calibration.npz", "format": "npz", "samples": 100},
        "evaluation": {"uri": str(models / "test.npz"), "format": "npz"},
    }


def test_a_pod_finds_what_a_process_of_this_host_finds(
    real_pods: FakeKubernetes, remote_places: Settings, spec: dict[str, Any], models: Path, tmp_path: Path
) -> None:
    here = Settings(str(tmp_path / "ws"), tmp_path / "cache", tmp_path / "scratch", remote_places.pythons)
    found = []
    for places in (replace(here, executor="cold"), remote_places):
        steps = Steps(models, places, **spec)
        samples = steps.sample()
        found.append((steps.results.converted().artifact, samples, steps.inspect(steps.results.converted().artifact)))
    assert found[0] == found[1]
    assert [each["metadata"]["labels"]["litegate/step"] for each in real_pods.created] == ["convert", "sample", "inspect"]
