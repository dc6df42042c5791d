"""What a run of the pipeline costs each server, from many models in one night: `make bench-scale`, in half an hour.

All are triggered at once on the distributed profile, as a schedule does it at night. Counted is what was there after
them and not before: tasks, rows and bytes of both databases, XCom, requests to S3 and MLflow, CPU seconds of each
server with all that it started. What that means for 1,000 models is in docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import yaml

from deploy.distributed.cluster import WORKERS, Cluster
from litegate.examples import digits
from litegate.settings import settings
from litegate.stack.airflow_api import RunId
from tests.benchmarks.at_once_row import TRAIN

LIMIT = 7200
_REQUEST = re.compile(r'beast: .*?"(\w+) [^"]*" (\d+) (\d+)')
_CALL = re.compile(r'"(GET|POST|PUT|PATCH|DELETE) ')


def main() -> None:
    """Print what one run costs, and write build/bench-scale.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--output", type=Path, default=Path("build/bench-scale.json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as folder:
        specs = _specs(Path(folder), given.models + 1)
        with tempfile.TemporaryDirectory(prefix="litegate-distributed-") as root, Cluster(Path(root), specs) as cluster:
            _upload(cluster, Path(folder))
            cluster.replace_workers(dict.fromkeys(WORKERS, ("convert", "evaluate")))
            found = _night(cluster, [spec.stem for spec in specs])
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(found, indent=2))
    print(json.dumps(found["a run"], indent=2))


def _specs(folder: Path, count: int) -> list[Path]:
    """One for each of so many models that differ in their weights."""
    for split in digits.SPLITS:
        digits.prepare(folder, split)
    print(f"train {count} models ...", flush=True)
    subprocess.run([settings().pythons["tensorflow"], "-c", TRAIN, folder, str(count)], check=True, capture_output=True)
    return [_spec(folder, number) for number in range(count)]


def _spec(folder: Path, number: int) -> Path:
    spec = {
        "model": {"name": f"night-{number:03}", "uri": f"s3://models/{number}/model.keras"},
        "calibration": {"uri": "s3://models/calibration.npz", "format": "npz", "samples": 100},
        "evaluation": {"uri": "s3://models/test.npz", "format": "npz"},
        "variants": ["dynamic_range", "float16", "int8"],
        "gate": {"max_drop": 0.05},
    }
    path = folder / f"night-{number:03}.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


def _upload(cluster: Cluster, folder: Path) -> None:
    client = cluster.s3()
    for file in sorted(folder.rglob("*.*")):
        if file.suffix in (".keras", ".npz"):
            client.upload_file(str(file), "models", str(file.relative_to(folder)))


def _night(cluster: Cluster, names: list[str]) -> dict[str, Any]:
    """The first model is run alone, so that nothing that is done once counts for the others."""
    with cluster.airflow() as airflow:
        runs = [RunId(f"quantize__{name}", "night") for name in names]
        _follow(cluster, airflow, runs[:1])
        before, began = _Counted.of(cluster), time.monotonic()
        _follow(cluster, airflow, runs[1:])
        seconds, spent = time.monotonic() - began, _Counted.of(cluster).since(before)
        states = Counter(airflow.state(run) for run in runs[1:])
        each = sorted(_seconds(airflow, run) for run in runs[1:])
    count = len(runs) - 1
    return {
        "models": count,
        "states": states,
        "seconds": round(seconds),
        "seconds of a run": {"least": each[0], "median": each[len(each) // 2], "most": each[-1]},
        "a run": {name: round(value / count, 2) for name, value in sorted(spent.items())},
    }


def _follow(cluster: Cluster, airflow: Any, runs: list[RunId]) -> None:
    for run in runs:
        while airflow.dag(run.dag) is None:
            time.sleep(1)
        airflow.trigger(run)
    open_runs, end = list(runs), time.monotonic() + LIMIT
    while open_runs and time.monotonic() < end:
        time.sleep(5)
        cluster.revive()
        left = [run for run in open_runs if airflow.state(run) not in ("success", "failed")]
        if len(left) < len(open_runs):
            print(f"  {len(runs) - len(left)} of {len(runs)} runs have ended", flush=True)
        open_runs = left


def _seconds(airflow: Any, run: RunId) -> float:
    (found,) = (each for each in airflow.listed(run.dag) if each.id == run)
    if not found.began or not found.ended:
        return float("nan")
    began, ended = datetime.fromisoformat(found.began), datetime.fromisoformat(found.ended)
    return round((ended.astimezone(UTC) - began.astimezone(UTC)).total_seconds(), 1)


@dataclass(frozen=True)
class _Counted:
    """What there is, by name."""

    found: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, cluster: Cluster) -> _Counted:
        found = dict(_rows(cluster)) | dict(_requests(cluster)) | dict(_objects(cluster)) | dict(_processor(cluster))
        return cls(found)

    def since(self, before: _Counted) -> dict[str, float]:
        return {name: value - before.found.get(name, 0) for name, value in self.found.items()}


def _rows(cluster: Cluster) -> Iterator[tuple[str, float]]:
    query = cluster.postgresql.query
    tables = "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    for database in ("airflow", "mlflow", "results"):
        names = [row[0] for row in query(database, tables)]
        counts = query(database, " union all ".join(f"select count(*) from {name}" for name in names))
        yield f"{database}: rows", sum(float(row[0]) for row in counts)
        yield f"{database}: bytes", float(query(database, f"select pg_database_size('{database}')")[0][0])
    yield "airflow: task instances", float(query("airflow", "select count(*) from task_instance")[0][0])
    size = "select count(*), coalesce(sum(length(value::text)), 0) from xcom"
    count, total = query("airflow", size)[0]
    yield "airflow: XCom entries", float(count)
    yield "airflow: XCom bytes", float(total)


def _requests(cluster: Cluster) -> Iterator[tuple[str, float]]:
    lines = (cluster.root / "ceph" / "client.rgw.log").read_text(errors="replace").splitlines()
    asked = [match for line in lines if (match := _REQUEST.search(line))]
    for verb, count in Counter(match[1] for match in asked).items():
        yield f"S3: {verb} requests", float(count)
    yield "S3: requests", float(len(asked))
    yield "S3: bytes sent", float(sum(int(match[3]) for match in asked))
    for name, log in (("MLflow", cluster.hosts["mlflow"].folder / "mlflow.log"),):
        yield f"{name}: requests", float(len(_CALL.findall(log.read_text(errors="replace"))))


def _objects(cluster: Cluster) -> Iterator[tuple[str, float]]:
    for bucket in ("airflow-logs", "litegate", "mlflow"):
        pages = cluster.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        sizes = [item["Size"] for page in pages for item in page.get("Contents", [])]
        yield f"S3: objects in {bucket}", float(len(sizes))
        yield f"S3: bytes in {bucket}", float(sum(sizes))


def _processor(cluster: Cluster) -> Iterator[tuple[str, float]]:
    """CPU seconds of each server, with its children that run or have ended."""
    total = 0.0
    for name, server in cluster.servers.items():
        if server.process is not None:
            main = psutil.Process(server.process.pid)
            every = [main, *main.children(recursive=True)]
            seconds = sum(sum(_times(process)) for process in every)
            total += seconds
            yield f"CPU seconds: {name}", seconds
    yield "CPU seconds", total


def _times(process: psutil.Process) -> tuple[float, ...]:
    try:
        return tuple(process.cpu_times())[:4]
    except psutil.NoSuchProcess:
        return ()


if __name__ == "__main__":
    main()
