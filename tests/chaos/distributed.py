"""The distributed profile as a world: Celery, Redis, PostgreSQL and Ceph, on hosts of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from deploy.distributed.cluster import WORKERS, Airflow, Cluster
from litegate.errors import StackError
from litegate.stack.airflow_api import RunId
from litegate.stack.patience import Patience
from tests.chaos.embedded import children, clean_environment
from tests.chaos.world import Ended, World

__all__ = ["DistributedWorld"]

_SERVERS = {
    "scheduler": "scheduler",
    "api-server": "api-server",
    "dag-processor": "dag-processor",
    "triggerer": "triggerer",
    "mlflow": "mlflow",
    "database": "postgresql",
    "queue": "redis",
    "s3": "radosgw",
}
_LITEGATE = Path(sys.executable).parent / "litegate"
_LIMIT = 900.0
_MODELS = "models"


class DistributedWorld(World):
    """What `python -m deploy.distributed` runs, watched as it watches; it is started once.

    Args:
        root: an empty folder, which the user `nobody` can come to if we are root.
    """

    kinds = (*_SERVERS, "worker", "warm parent", "task", "step")
    restarts = False

    def __init__(self, root: Path) -> None:
        self.root, self._cluster = root, Cluster(root / "cluster", say=lambda _: None)
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    @property
    def mlflow_url(self) -> str:
        return self._cluster.addresses.mlflow

    @property
    def airflow_login(self) -> tuple[str, str]:
        return self._cluster.addresses.airflow, self._cluster.addresses.password

    def start(self) -> None:
        (self.root / "cluster").mkdir()
        self._cluster.__enter__()
        self._watching.start()

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            self._cluster.revive()

    def stop(self) -> None:
        if not self._over.is_set():
            self._over.set()
            self._watching.join()
            self._cluster.stop()

    def recover(self) -> None:
        deadline = time.monotonic() + _LIMIT
        while waiting := self._waiting():
            if time.monotonic() > deadline:
                raise StackError(f"not healthy by themselves after {_LIMIT:g} s: {', '.join(waiting)}")
            time.sleep(0.5)

    def _waiting(self) -> list[str]:
        silent = [name for name, server in self._cluster.servers.items() if server.has_died() or not server.ready()]
        return silent or self._cluster.unhealthy()

    def processes(self, kind: str) -> list[psutil.Process]:
        if kind in _SERVERS:
            return self._of(_SERVERS[kind])
        if kind == "worker":
            return [each for main in self._of(*WORKERS) for each in (main, *children(main))]
        if kind == "warm parent":
            return [each for keeper in self._of(*(f"warm-{name}" for name in WORKERS)) for each in children(keeper)]
        pools = [each for main in self._of(*WORKERS) for each in children(main)]
        tasks = [task for pool in pools for task in children(pool)]
        if kind == "task":
            return tasks
        return [
            each for parent in (*tasks, *self.processes("warm parent")) for each in children(parent, recursive=True)
        ]

    def _of(self, *names: str) -> list[psutil.Process]:
        found = [self._cluster.servers[name] for name in names]
        return [psutil.Process(each.process.pid) for each in found if each.process and not each.has_died()]

    def place(self, path: Path) -> str:
        self._cluster.s3().upload_file(str(path), _MODELS, path.name)
        return f"s3://{_MODELS}/{path.name}"

    def run(self, spec: Path) -> Ended:
        """By Airflow's API: there is no command that begins a run in an Airflow of one's own."""
        self._cluster.add(spec)
        run = RunId(f"quantize__{spec.stem}", f"run-{time.time_ns()}")
        with self._airflow() as airflow:
            deadline = time.monotonic() + _LIMIT
            while airflow.dag(run.dag) is None and time.monotonic() < deadline:
                time.sleep(1)
            airflow.trigger(run)
        return self.follow(run)

    def follow(self, run: RunId) -> Ended:
        deadline = time.monotonic() + _LIMIT
        with self._airflow() as airflow:
            while (state := airflow.state(run)) not in ("success", "failed"):
                if time.monotonic() > deadline:
                    return Ended(-1, f"{run} is {state} for ever: {airflow.tasks(run)}", None)
                time.sleep(1)
            tasks = [each for each in airflow.tasks(run) if each.state not in ("success", "skipped")]
            said = f"{run} {state}: {airflow.note(run)}, {tasks}"
            promoted = airflow.xcom(run, "promote", "return_value") if state == "success" else None
        if promoted is None:
            return Ended(1, said, None)
        model = run.dag.removeprefix("quantize__")
        return Ended(0, said, {"model": model, "dag": run.dag, "run": run.run, **promoted})

    def _airflow(self) -> Airflow:
        """A client that waits for a killed server to be started again."""
        return Airflow(*self.airflow_login, Patience(limit=_LIMIT))

    def litegate(self, *arguments: str | Path, result: Path | None = None) -> Ended:
        keys = self._cluster.keys
        variables = {
            "LITEGATE_WORKSPACE": "s3://litegate/workspace",
            "MLFLOW_TRACKING_URI": self.mlflow_url,
            "AWS_ENDPOINT_URL_S3": self._cluster.ceph.url,
            "AWS_ACCESS_KEY_ID": keys.access,
            "AWS_SECRET_ACCESS_KEY": keys.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        command = [str(_LITEGATE), *map(str, arguments), "--home", str(self.root / "home")]
        command += [] if result is None else ["--json", str(result)]
        environment = clean_environment() | variables
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=_LIMIT)
        written = json.loads(result.read_text()) if result is not None and result.exists() else None
        return Ended(done.returncode, done.stdout + done.stderr, written)

    def objects(self) -> Iterator[tuple[str, bytes]]:
        client, bucket, prefix = self._cluster.s3(), "litegate", "workspace/"
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                body = client.get_object(Bucket=bucket, Key=item["Key"])["Body"]
                yield item["Key"].removeprefix(prefix), body.read()

    def left_running(self) -> Sequence[psutil.Process]:
        """Whatever has an address of this cluster among its variables."""
        port = str(urlsplit(self.airflow_login[0]).port)
        return [each for each in psutil.process_iter() if each.pid != os.getpid() and port in _airflow_of(each)]

    def left_behind(self) -> Sequence[Path]:
        """Folders of steps stay until a worker's clean-up; see `litegate clean --home`."""
        return []


def _airflow_of(process: psutil.Process) -> str:
    try:
        return process.environ().get("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "")
    except psutil.Error:
        return ""
