"""The distributed profile: two workers with queues and folders of their own, PostgreSQL, Redis, MLflow and Ceph."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
import pytest

from deploy.distributed.cluster import WORKERS
from tests.distributed.runs import Distributed, Recorded, Run, recorded

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def first(distributed: Distributed, spec: Path) -> Run:
    """The first run of the model, on two workers that have never run anything."""
    return distributed.run(spec.stem, "first")


def test_verdicts_and_bytes_are_those_of_the_embedded_servers(
    first: Run, distributed: Distributed, embedded: dict[str, Recorded], spec: Path
) -> None:
    assert first.state == "success", first.log
    assert len(embedded) == 8
    assert recorded(distributed.cluster.addresses.mlflow, spec.stem) == embedded


def test_each_task_runs_on_a_worker_of_its_queue(first: Run) -> None:
    assert first.hosts["convert"] == {"worker-1"}
    assert first.hosts["quantize"] == {"worker-1"}
    assert first.hosts["evaluate_shard"] == {"worker-1", "worker-2"}


def test_what_one_worker_found_the_other_finds(first: Run, distributed: Distributed, spec: Path) -> None:
    before = distributed.objects()
    distributed.cluster.replace_workers({"worker-2": ("convert", "evaluate")})
    second = distributed.run(spec.stem, "second")
    assert second.state == "success", second.log
    assert set().union(*second.hosts.values()) <= {"worker-2", ""}
    assert distributed.objects().keys() == before.keys()


def test_airflow_shows_the_logs_of_both_workers(first: Run) -> None:
    assert "convert" in first.log["convert"]
    assert "samples" in first.log["evaluate_shard"]


def test_a_worker_has_neither_the_keys_of_s3_nor_airflows_database(first: Run, distributed: Distributed) -> None:
    cluster = distributed.cluster
    secrets = (cluster.keys.secret, cluster.addresses.airflow_database, cluster.addresses.fernet)
    process = cluster.servers["worker-2"].process
    assert process is not None
    values = psutil.Process(process.pid).environ().values()
    assert any(cluster.addresses.queue in value for value in values)
    assert not [secret for secret in secrets if any(secret in value for value in values)]


def test_no_secret_is_in_a_command_line(first: Run, distributed: Distributed) -> None:
    cluster = distributed.cluster
    secrets = (cluster.keys.secret, cluster.addresses.password, cluster.addresses.queue, cluster.addresses.fernet)
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in lines if any(secret in line for secret in secrets)]


def test_a_host_sees_no_folder_of_another(distributed: Distributed) -> None:
    seen = {}
    for name in WORKERS:
        host = distributed.cluster.hosts[name]
        command = host.command("sh", "-c", "hostname; ls ..")
        seen[name] = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert seen == {name: [name, name] for name in WORKERS}
