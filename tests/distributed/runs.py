"""Runs of the distributed profile and of the embedded one, and what MLflow has of them."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from mlflow import MlflowClient

from deploy.distributed.cluster import Cluster
from litegate.stack.airflow_api import RunId

__all__ = ["Distributed", "Recorded", "Run", "recorded", "spec_file"]

SAMPLES = 1_000
VARIANTS = [
    "dynamic_range",
    "float16",
    "int8_float_fallback",
    "int8",
    "uint8",
    "int16x8",
    "int16x8_float_fallback",
]
LIMIT = 900
_TIMES = re.compile("latency|second|_ms|time|duration")


def spec_file(folder: Path, name: str, model: str, calibration: str, evaluation: str, **data: Any) -> Path:
    """A spec whose model and data are on S3, and whose code is an installed package."""
    base = f"s3://models/{name}"
    spec = {
        "model": {"name": name, "uri": f"{base}/{model}"},
        "calibration": {"uri": f"{base}/{calibration}", "samples": 100, **data},
        "evaluation": {"uri": f"{base}/{evaluation}", "max_samples": SAMPLES, **data},
        "preprocess": "acme_vision:prepare",
        "variants": VARIANTS,
        "gate": {"max_drop": 0.1},
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


class Recorded(NamedTuple):
    """What MLflow has of a file: its verdict, the digest of its bytes, and what was measured but for times."""

    verdict: str
    digest: str
    measured: dict[str, float]


def recorded(mlflow: str, name: str) -> dict[str, Recorded]:
    """The files of a model's newest run, by variant."""
    client = MlflowClient(mlflow)
    experiment = client.get_experiment_by_name(f"quantize/{name}")
    assert experiment is not None
    found: dict[str, Recorded] = {}
    for run in client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"]):
        tags = run.data.tags
        if "variant" in tags:
            measured = {key: value for key, value in run.data.metrics.items() if not _TIMES.search(key)}
            file = Recorded(tags["verdict"], tags.get("tflite_sha256", ""), measured)
            found.setdefault(tags["variant"], file)
    return found


@dataclass(frozen=True)
class Run:
    """An ended run.

    Attributes:
        hosts: names of the hosts that each task ran on.
        log: what each task's log says, as Airflow shows it.
    """

    id: RunId
    state: str
    hosts: dict[str, set[str]]
    log: dict[str, str]


@dataclass(frozen=True)
class Distributed:
    """The running cluster, and what tests ask of it."""

    cluster: Cluster

    def run(self, name: str, run_id: str) -> Run:
        """Run the pipeline of a model to its end."""
        run = RunId(f"quantize__{name}", run_id)
        with self.cluster.airflow() as airflow:
            _wait(lambda: airflow.dag(run.dag) is not None, lambda: f"the DAG {run.dag}, got {airflow.import_errors()}")
            airflow.trigger(run)
            _wait(lambda: airflow.state(run) in ("success", "failed"), lambda: f"the end of {airflow.tasks(run)}")
            hosts, log = defaultdict(set), defaultdict(str)
            for task, host in airflow.hosts_of(run.path):
                hosts[task].add(host)
            for task in airflow.tasks(run):
                log[task.task] += "\n".join(airflow.log(run, task))
            return Run(run, airflow.state(run), dict(hosts), dict(log))

    def objects(self) -> dict[str, str]:
        """Every object of the workspace with its entity tag."""
        pages = self.cluster.s3().get_paginator("list_objects_v2").paginate(Bucket="litegate")
        return {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", [])}


def _wait(reached: Callable[[], bool], what: Callable[[], str]) -> None:
    end = time.monotonic() + LIMIT
    while not reached():
        assert time.monotonic() < end, f"expected {what()}"
        time.sleep(1)
