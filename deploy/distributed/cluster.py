"""All servers of the distributed profile, on hosts of their own: started, watched, and ended."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3

from deploy.distributed.airflow import (
    ADMIN,
    Addresses,
    airflow_server,
    answers,
    control_variables,
    mlflow_server,
    worker_variables,
)
from deploy.distributed.airflow_client import Airflow
from deploy.distributed.ceph import Ceph, Keys
from deploy.distributed.databases import PostgreSql, Redis
from deploy.distributed.hosts import Host
from deploy.distributed.installation import ROOT, build_wheel, environment
from deploy.distributed.programs import Programs
from deploy.distributed.server import Server, free_port, wait

__all__ = ["BUCKETS", "WORKERS", "Cluster"]

BUCKETS = ("airflow-logs", "litegate", "mlflow", "models")
WORKERS = {"worker-1": ("convert", "evaluate"), "worker-2": ("evaluate",)}
"""The queues of each worker: both evaluate, and one converts."""
_CONTROL = ("api-server", "scheduler", "dag-processor", "triggerer")
_READ = ["s3:GetObject"]
_WRITE = [*_READ, "s3:PutObject", "s3:AbortMultipartUpload"]
_RIGHTS = (
    {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [f"arn:aws:s3:::{name}" for name in BUCKETS]},
    {"Effect": "Allow", "Action": _READ, "Resource": "arn:aws:s3:::models/*"},
    {"Effect": "Allow", "Action": _WRITE, "Resource": ["arn:aws:s3:::litegate/*", "arn:aws:s3:::airflow-logs/*"]},
)
"""Of the role that workers assume: they write to the workspace and the logs, and delete nothing."""
_STORAGE = ("postgresql", "redis", "ceph-mon", "ceph-osd", "radosgw")
_SLOTS = 2


class Cluster:
    """The servers by name, in the order in which they are started.

    Args:
        root: folder for everything, which others may pass through: a server that refuses root runs as `nobody`.
        specs: spec files, of which each host gets a copy.
        packages: wheels of users' code, installed beside TensorFlow on each worker.
        shards: into how many parts evaluation data are cut.
        say: gets a line for each thing that takes long.

    Attributes:
        servers: all of them.
        addresses: where they are.
        keys: of the user of S3 who owns all buckets, and by whom MLflow's server reaches its own.
        worker_keys: of the user who may do nothing but assume the role by which workers reach S3.
    """

    def __init__(
        self,
        root: Path,
        specs: Iterable[Path] = (),
        packages: Iterable[Path] = (),
        shards: int = len(WORKERS),
        say: Callable[[str], object] = print,
    ) -> None:
        self.root, self.say = root, say
        self._specs, self._packages = tuple(specs), tuple(packages)
        self._shards = {"LITEGATE_EVALUATION_SHARDS": str(shards)}
        self.servers: dict[str, Server] = {}
        self.hosts: dict[str, Host] = {}

    def __enter__(self) -> Cluster:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """End all servers: what asks others first, all of it at once, then what it asks."""
        self.say("ending all servers")
        storage = [server for name, server in self.servers.items() if name in _STORAGE]
        for wave in ([server for server in self.servers.values() if server not in storage], storage):
            for server in wave:
                server.ask()
            for server in wave:
                server.stop()
        for host in self.hosts.values():
            host.server.stop()

    def revive(self) -> list[str]:
        """Start those anew that have died, as a service manager would; returns their names."""
        died = [name for name, server in self.servers.items() if server.has_died()]
        for name in died:
            self.servers[name].stop()
            self.servers[name].start()
        return died

    def airflow(self) -> Airflow:
        """A client of Airflow's API."""
        return Airflow(self.addresses.airflow, self.addresses.password)

    def s3(self, keys: Keys | None = None) -> Any:
        """A client of S3, of the owner of all buckets if no keys are given."""
        keys = keys or self.keys
        return boto3.client(
            "s3",
            endpoint_url=self.ceph.url,
            aws_access_key_id=keys.access,
            aws_secret_access_key=keys.secret,
            region_name="us-east-1",
        )

    def _start(self) -> None:
        self.root.chmod(0o711)
        programs = Programs.found()
        self.say("starting PostgreSQL, Redis and Ceph")
        self._start_storage(programs)
        self._install()
        self.say("starting MLflow and Airflow")
        self._start_control()
        self._start_workers()
        self.say(f"Airflow: {self.addresses.airflow}, MLflow: {self.addresses.mlflow}, S3: {self.ceph.url}")

    def _start_storage(self, programs: Programs) -> None:
        self.postgresql = PostgreSql(programs, self.root / "postgresql")
        redis = Redis(programs, self.root / "redis")
        self.ceph = Ceph(programs, self.root / "ceph")
        self._run(self.postgresql.server, redis.server, self.ceph.monitor)
        self.ceph.make_store()
        self._run(*self.ceph.others)
        self.keys, self.worker_keys = self.ceph.user("litegate"), self.ceph.user("worker")
        self._role = self.ceph.role("pipeline", "worker", _RIGHTS)
        for bucket in BUCKETS:
            self.s3().create_bucket(Bucket=bucket)
        self.addresses = Addresses(
            airflow_database=self.postgresql.database("airflow"),
            results=self.postgresql.database("results"),
            mlflow_database=self.postgresql.database("mlflow"),
            queue=redis.url,
            airflow=f"http://127.0.0.1:{free_port()}",
            mlflow=f"http://127.0.0.1:{free_port()}",
            s3=self.ceph.url,
        )

    def _install(self) -> None:
        self.say("installing the wheel on each host")
        wheels = (build_wheel(self.root / "wheel"),)
        for name in ("control", "mlflow", *WORKERS):
            host = self.hosts[name] = Host.booted(self.root / "hosts", name)
            environment(host.folder / "service", ROOT / ".venv-distributed", wheels)
            if name in WORKERS:
                environment(host.folder / "tensorflow", ROOT / ".venv-tensorflow", (*wheels, *self._packages))
            shutil.copytree(Path(__file__).parent / "dags", host.folder / "dags")
            (host.folder / "dags" / "model_specs").mkdir()
            for spec in self._specs:
                shutil.copy(spec, host.folder / "dags" / "model_specs")

    def _start_control(self) -> None:
        keys = {"AWS_ACCESS_KEY_ID": self.keys.access, "AWS_SECRET_ACCESS_KEY": self.keys.secret}
        host = self.hosts["mlflow"]
        mlflow = mlflow_server(host, self._python(host), self.addresses, keys)
        host = self.hosts["control"]
        variables = control_variables(host, self._python(host), self.addresses) | self._shards
        users = host.folder / "users.json"
        users.touch(mode=0o600)
        users.write_text(json.dumps({ADMIN: self.addresses.password}))
        command = host.command(str(self._python(host)), "-m", "airflow", "db", "migrate")
        subprocess.run(command, env=variables, cwd=host.folder, check=True, capture_output=True)
        port = self.addresses.airflow.rpartition(":")[2]
        more: dict[str, tuple[str, ...]] = {"api-server": ("--host", "127.0.0.1", "--port", port, "--workers", "1")}
        more |= dict.fromkeys(("scheduler", "triggerer"), ("--skip-serve-logs",))
        servers = (
            airflow_server(name, host, self._python(host), variables, "airflow", name, *more.get(name, ()))
            for name in _CONTROL
        )
        self._run(mlflow, *servers)
        wait("Airflow to be healthy", lambda: not self.unhealthy(), self._check)
        with self.airflow() as airflow:
            airflow.ensure_pool("litegate", _SLOTS * len(WORKERS))
            airflow.connect_to(self.ceph.url, self.worker_keys, self._role, self.addresses.mlflow)

    def replace_workers(self, workers: Mapping[str, Iterable[str]]) -> None:
        """End all workers, and start these, each for its queues."""
        for each in [each for name in WORKERS for each in (name, f"warm-{name}") if each in self.servers]:
            self.servers.pop(each).stop()
        self._start_workers(workers)

    def _start_workers(self, workers: Mapping[str, Iterable[str]] = WORKERS) -> None:
        self._run(*(server for name, queues in workers.items() for server in self._worker(name, queues)))

    def _worker(self, name: str, queues: Iterable[str]) -> Iterator[Server]:
        """A worker for these queues, and the warm parents of its steps."""
        host = self.hosts[name]
        python, tensorflow = self._python(host), host.folder / "tensorflow" / "bin" / "python"
        variables = worker_variables(host, python, self.addresses, tensorflow) | self._shards
        yield airflow_server(f"warm-{name}", host, python, variables, "litegate.cli", "warm", grace=20)
        options = ("--queues", ",".join(queues), "--concurrency", "1", "--celery-hostname", f"celery@{name}")
        quiet = ("--skip-serve-logs", "--without-mingle", "--without-gossip")
        log = host.folder / f"{name}.log"
        yield airflow_server(
            name,
            host,
            python,
            variables,
            *("airflow", "celery", "worker", *options, *quiet),
            ready=lambda: log.exists() and " ready." in log.read_text(errors="replace"),
            grace=30,
        )

    def unhealthy(self) -> list[str]:
        """What of Airflow does not answer, or has not given a sign of life lately."""
        if not answers(f"{self.addresses.airflow}/api/v2/monitor/health"):
            return ["api-server"]
        with self.airflow() as airflow:
            health = airflow.health()
        return [name for name, found in health.items() if (found or {}).get("status") != "healthy"]

    def _python(self, host: Host) -> Path:
        return host.folder / "service" / "bin" / "python"

    def _run(self, *servers: Server) -> None:
        for server in servers:
            self.servers[server.name] = server
            server.start()
        for server in servers:
            server.wait_until_ready()

    def _check(self) -> None:
        for server in self.servers.values():
            server.check()
