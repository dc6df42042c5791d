"""Runs of the distributed profile: begun, followed to their end, and looked at."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from deploy.distributed.cluster import Cluster

from litegate.stack.airflow_api import RunId

__all__ = ["Distributed", "Run", "spec_file"]

SAMPLES = 1_000
LIMIT = 900


def spec_file(folder: Path, name: str, model: str, calibration: str, evaluation: str, **data: Any) -> Path:
    """A spec whose model and data are on S3, and whose code is an installed package."""
    base = f"s3://models/{name}"
    spec = {
        "model": {"name": name, "uri": f"{base}/{model}"},
        "calibration": {"uri": f"{base}/{calibration}", "samples": 100, **data},
        "evaluation": {"uri": f"{base}/{evaluation}", "max_samples": SAMPLES, **data},
        "preprocess": "acme_vision:prepare",
        "gate": {"max_drop": 0.1},
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


@dataclass(frozen=True)
class Run:
    """An ended run.

    Attributes:
        hosts: names of the hosts that each task ran on.
        verdicts: state and digest of the file, by variant.
    """

    id: RunId
    state: str
    hosts: dict[str, set[str]]
    verdicts: dict[str, tuple[str, str]]
    log: str


@dataclass(frozen=True)
class Distributed:
    """The running cluster, and what tests ask of it."""

    cluster: Cluster

    def run(self, name: str, run_id: str) -> Run:
        """Run the pipeline of a model to its end."""
        run = RunId(f"quantize__{name}", run_id)
        with self.cluster.airflow() as airflow:
            _wait(lambda: airflow.dag(run.dag) is not None, f"the DAG {run.dag}; {airflow.import_errors()}")
            airflow.trigger(run)
            _wait(lambda: airflow.state(run) in ("success", "failed"), f"{run} to end")
            tasks = airflow.tasks(run)
            hosts = defaultdict(set)
            for task, host in airflow.hosts_of(run.path):
                hosts[task].add(host)
            log = "\n".join(f"{task.name} {task.state}: {line}" for task in tasks for line in airflow.log(run, task))
            result = airflow.xcom(run, "register", "return_value")
            return Run(run, airflow.state(run), dict(hosts), _verdicts(result), log)

    def objects(self) -> dict[str, str]:
        """Every object of the workspace with its entity tag."""
        pages = self.cluster.s3().get_paginator("list_objects_v2").paginate(Bucket="litegate")
        return {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", [])}


def _verdicts(result: Any) -> dict[str, tuple[str, str]]:
    if result is None:
        return {}
    found = json.loads(result) if isinstance(result, str) else result
    return {row["variant"]: (row["state"], row.get("digest", "")) for row in found["variants"]}


def _wait(reached: Any, what: str) -> None:
    end = time.monotonic() + LIMIT
    while not reached():
        assert time.monotonic() < end, f"expected {what}"
        time.sleep(1)
