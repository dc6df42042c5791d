"""Embedded servers with a home of their own, in which nothing has been computed yet, and the runs in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from litegate.stack import Home, running
from litegate.stack.airflow_api import AirflowApi, RunId
from litegate.stack.home import Secrets
from tests.benchmarks.bench_context import Bench
from tests.benchmarks.critical_path import TaskTime, critical_path, work_on

__all__ = ["LITEGATE", "Servers", "servers", "write_spec"]

LITEGATE = Path(sys.executable).with_name("litegate")
DECIDED = (0, 3, 5)
"""Exit codes of a run that came to verdicts: promoted, or nothing passed the gate."""


@dataclass(frozen=True)
class Servers:
    """Servers that are up."""

    bench: Bench
    home: Path

    def run(self, spec: Path, out: Path | None = None) -> dict[str, Any]:
        """Run a spec as a whole process: its seconds, what it wrote with `--json`, and when its tasks ran.

        Args:
            out: where it writes to, for several at once.
        """
        out = out or self.home / "result.json"
        command = (LITEGATE, "run", spec, "--home", self.home, "--json", out)
        seconds = self.bench.command(*command, codes=DECIDED)
        result = json.loads(out.read_text())
        return {"seconds": seconds, "result": result} | self._times(RunId(result["dag"], result["run"]))

    def _times(self, run: RunId) -> dict[str, Any]:
        stack = running(Home(self.home))
        if stack is None:
            raise RuntimeError(f"the servers in {self.home} have ended")
        with AirflowApi(stack.airflow_url, Secrets.of(Home(self.home)).password) as airflow:
            item = airflow._send("GET", run.path).json()
            instances = list(airflow._pages(f"{run.path}/taskInstances", "task_instances", {}))
            graph = list(airflow._pages(f"dags/{run.dag}/tasks", "tasks", {}))
        began = _moment(item["queued_at"] or item["start_date"])
        tasks = [
            TaskTime(
                each["task_id"],
                each["map_index"],
                _moment(each["start_date"]) - began,
                _moment(each["end_date"]) - began,
            )
            for each in instances
            if each["start_date"] and each["end_date"]
        ]
        upstream = {
            task["task_id"]: frozenset(t["task_id"] for t in graph if task["task_id"] in t["downstream_task_ids"])
            for task in graph
        }
        path = critical_path(tasks, upstream)
        return {
            "run_seconds": _moment(item["end_date"]) - began,
            "work_seconds": work_on(path),
            "path": [vars(task) for task in path],
            "tasks": [vars(task) for task in sorted(tasks, key=lambda task: task.begin)],
        }


@contextmanager
def servers(bench: Bench, name: str) -> Iterator[Servers]:
    """Start servers in a new home, and stop them at the end."""
    home = bench.folder / "homes" / name
    bench.command(LITEGATE, "start", "--home", home)
    try:
        yield Servers(bench, home)
    finally:
        bench.command(LITEGATE, "stop", "--home", home)


def write_spec(bench: Bench, name: str, keys: dict[str, Any]) -> Path:
    """A spec file; its name is that of the model."""
    path = bench.folder / "specs" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(keys | {"model": keys["model"] | {"name": name}}))
    return path


def _moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
