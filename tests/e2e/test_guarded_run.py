"""A whole run where S3, STS and MLflow ask who is there, behind TLS: and its secrets, which are found nowhere.

Airflow is one of the tests' own, with its servers, and has the secrets as connections in its database.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from cryptography.fernet import Fernet

from litegate.attestation.signing import SIGNING_KEY
from litegate.settings import settings
from litegate.steps import STEPS
from tests.canaries import Canaries, Seen, watching
from tests.e2e.statsd import taking_statsd
from tests.guarded import BUCKET, GuardedMlflow, GuardedS3
from tests.models.once import Maker
from tests.servers import free_port

LITEGATE = Path(sys.executable).parent / "litegate"
MAKER = Path(__file__).parents[1] / "models" / "make_models.py"
MAKE = """
import pathlib, runpy, sys

made, folder = runpy.run_path(sys.argv[1]), pathlib.Path(sys.argv[2])
made["data"](folder)
made["trained"](made["keras"], folder).save(folder / "m.keras")
"""
SPEC = f"""
model: {{name: guarded, uri: "s3://{BUCKET}/inputs/m.keras"}}
calibration: {{uri: "s3://{BUCKET}/inputs/calibration.npz", format: npz, samples: 32}}
evaluation: {{uri: "s3://{BUCKET}/inputs/test.npz", format: npz}}
variants: [dynamic_range]
gate: {{max_drop: 0.1}}
"""
DAG = """
from datetime import datetime
from pathlib import Path

from litegate_airflow.dags import Owner, quantize_dag

owner = Owner(aws_conn_id="s3_models", mlflow_conn_id="mlflow_runs", signing_conn_id="signing")
spec = Path(__file__).parent / "model.yaml"
quantize_dag(spec, dag_id="guarded", owner=owner, schedule="@once", start_date=datetime(2026, 1, 1))
"""
FURNISH = """
import json, sys

from airflow.models import Connection, Pool
from airflow.utils.session import create_session

with create_session() as session:
    for name, given in json.load(sys.stdin).items():
        session.add(Connection.from_json(json.dumps(given), conn_id=name))
    session.add(Pool(pool="litegate", slots=2, description="", include_deferred=False))
"""
OF_MLFLOW = {"mlflow_runs", "of litegate in MLflow"}
"""Names of one and the same password."""

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Run:
    """What came of it, and where it left anything.

    Attributes:
        objects: folder with a copy of all that is on S3.
        public_key: by which its statements are verified.
        database: Airflow's.
        metrics: the lines that Airflow has sent to StatsD.
    """

    state: str
    folder: Path
    objects: Path
    public_key: Path
    database: Path
    canaries: Canaries
    seen: Seen
    metrics: list[str]

    def found(self, mlflow: GuardedMlflow) -> set[tuple[str, str]]:
        """Secrets below the folders of Airflow, of the worker, of S3 and of MLflow, with the files that have them."""
        return self.canaries.found_below(self.folder, self.objects, mlflow.folder)


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory, maker: Maker, guarded_s3: GuardedS3, guarded_mlflow: GuardedMlflow
) -> Run:
    """The run, once it has ended; Airflow's servers have ended too."""
    folder, elsewhere = tmp_path_factory.mktemp("airflow"), tmp_path_factory.mktemp("elsewhere")
    made = maker.make(tmp_path_factory.mktemp("inputs"), "-c", MAKE, str(MAKER), "{folder}", sources=(MAKER,))
    _upload(guarded_s3, made)
    private, public = _keys(elsewhere)
    connections = {
        "s3_models": guarded_s3.connection(guarded_s3.worker),
        "mlflow_runs": guarded_mlflow.connection(),
        "signing": {"conn_type": "generic", "password": private},
        "unrelated": {"conn_type": "generic", "password": secrets.token_urlsafe(24)},
    }
    own = {name: secrets.token_urlsafe(32) for name in ("API__SECRET_KEY", "API_AUTH__JWT_SECRET")}
    own["CORE__FERNET_KEY"] = Fernet.generate_key().decode()
    environment = _environment(folder, {f"AIRFLOW__{name}": value for name, value in own.items()})
    airflow = (sys.executable, "-m", "airflow")
    subprocess.run([*airflow, "db", "migrate"], env=environment, cwd=folder, check=True, capture_output=True)
    furnish = (sys.executable, "-c", FURNISH)
    subprocess.run(furnish, env=environment, cwd=folder, check=True, input=json.dumps(connections), text=True)
    (folder / "dags").mkdir()
    (folder / "dags" / "model.yaml").write_text(SPEC)
    (folder / "dags" / "guarded.py").write_text(DAG)
    known = own | {name: str(each["password"]) for name, each in connections.items()}
    known |= {f"of {user} in MLflow": word for user, word in guarded_mlflow.passwords.items()}
    with taking_statsd() as (sends, metrics):
        servers = _servers(folder, environment | sends, airflow)
        with servers as scheduler, watching(Canaries(known), scheduler) as seen:
            state = _ended(folder / "airflow.db")
    (folder / "metrics").write_text("\n".join(metrics))  # where secrets are looked for
    sessions = enumerate(guarded_s3.sessions.read_text().split())
    known |= {"token": guarded_mlflow.token} | {f"session {number}": each for number, each in sessions}
    objects = _download(guarded_s3, tmp_path_factory.mktemp("objects"))
    return Run(state, folder, objects, public, folder / "airflow.db", Canaries(known), seen, metrics)


def test_it_promotes_and_its_version_is_signed(run: Run, guarded_s3: GuardedS3, guarded_mlflow: GuardedMlflow) -> None:
    logs = "".join(path.read_text() for path in run.folder.glob("logs/**/*.log"))
    assert run.state == "success", logs[-5000:]
    readers = guarded_mlflow.variables("reader") | _session(guarded_s3, guarded_s3.reader)
    said = _litegate("verify", "guarded", "--key", str(run.public_key), **readers)
    assert re.search(r"^verified$", said, re.M)
    assert (run.objects / "workspace" / "results").is_dir(), "the workspace is on S3"


def test_statsd_is_told_of_each_step_and_of_what_came_of_it(run: Run) -> None:
    counts = {"step.quantize.computed", "step.register.computed", "verdict.passed", "promotion.promoted"}
    assert {f"airflow.litegate.{each}:1|c" for each in counts} <= set(run.metrics)
    assert any(re.fullmatch(r"airflow\.litegate\.step\.quantize\.duration:[\d.]+\|ms", each) for each in run.metrics)


def test_its_secrets_are_found_nowhere(run: Run, guarded_mlflow: GuardedMlflow) -> None:
    assert run.found(guarded_mlflow) == set()


def test_processes_have_the_secrets_that_they_need_and_no_others(run: Run) -> None:
    assert run.seen.steps >= {"resolve", "convert", "quantize", "evaluate", "register", "promote"}
    assert not [leak for leak in run.seen.leaks if leak[2] == "arguments"]
    environments = {(secret, process) for secret, process, _ in run.seen.leaks}
    for secret, process in environments:
        step = STEPS.get(process)
        if step is None:  # Airflow's own, which has its own keys
            assert secret.startswith(("API", "CORE")), (secret, process)
        elif secret == "signing":
            assert step.signs, process
        else:
            assert step.tracking, (secret, process)
            assert secret in OF_MLFLOW, (secret, process)
    assert environments >= {("signing", "register"), ("mlflow_runs", "register")}, "they would have been seen"


def test_whoever_may_only_read_reads_and_changes_nothing(
    run: Run, guarded_mlflow: GuardedMlflow, tmp_path: Path
) -> None:
    before = _rows(guarded_mlflow)
    reader = guarded_mlflow.variables("reader")
    assert "int8" not in (history := _litegate("history", "guarded", **reader))
    assert "version 1" in history
    with_token = reader | {"MLFLOW_TRACKING_USERNAME": "", "MLFLOW_TRACKING_PASSWORD": ""}
    with_token |= {"MLFLOW_TRACKING_TOKEN": guarded_mlflow.token}
    _litegate("get", "guarded", "-o", str(tmp_path), **with_token)
    assert list(tmp_path.glob("*.tflite"))
    refused = _litegate("freeze", "guarded", "1", "--why", "to try it", code=1, **reader)
    assert "Permission denied" in refused
    assert _rows(guarded_mlflow) == before


@pytest.mark.parametrize("place", ["log", "xcom", "object", "tag"])
def test_a_secret_that_is_planted_is_found(run: Run, guarded_mlflow: GuardedMlflow, place: str) -> None:
    secret = guarded_mlflow.passwords["litegate"]
    with _planted(run, guarded_mlflow, place, secret):
        assert {name for name, _ in run.found(guarded_mlflow)} == OF_MLFLOW


def _environment(folder: Path, own: dict[str, str]) -> dict[str, str]:
    dropped = ("AIRFLOW", "_AIRFLOW", "AWS_", "MLFLOW_", "LITEGATE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    url = f"http://127.0.0.1:{free_port()}"
    settings_of_airflow = {
        "API__BASE_URL": url,
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__PARALLELISM": "4",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
        "WORKERS__EXECUTION_API_TIMEOUT": "60",
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }
    return (
        kept
        | {f"AIRFLOW__{name}": value for name, value in settings_of_airflow.items()}
        | own
        | {
            "AIRFLOW_HOME": str(folder),
            "LITEGATE_HOME": str(folder / "home"),
            "LITEGATE_TENSORFLOW_PYTHON": str(settings().pythons["tensorflow"]),
            "LITEGATE_WORKSPACE": f"s3://{BUCKET}/workspace",
            "PYTHONUNBUFFERED": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}",
        }
    )


@contextmanager
def _servers(folder: Path, environment: dict[str, str], airflow: tuple[str, ...]) -> Iterator[psutil.Process]:
    """Airflow's, as long as they are needed; the scheduler, which starts all tasks."""
    port = environment["AIRFLOW__API__BASE_URL"].rpartition(":")[2]
    commands = {
        "api-server": ("api-server", "--host", "127.0.0.1", "--port", port, "--workers", "1"),
        "dag-processor": ("dag-processor",),
        "scheduler": ("scheduler", "--skip-serve-logs"),
    }
    started: list[subprocess.Popen[bytes]] = []
    (folder / "logs").mkdir(exist_ok=True)
    try:
        for name, command in commands.items():
            with (folder / "logs" / f"{name}.log").open("w") as log:
                started.append(
                    subprocess.Popen(
                        [*airflow, *command],
                        env=environment,
                        cwd=folder,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
        yield psutil.Process(started[-1].pid)
    finally:
        for server in reversed(started):
            left = psutil.Process(server.pid).children(recursive=True)
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()


def _ended(database: Path) -> str:
    """How the run ended; it begins by itself."""
    for _ in range(3000):
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as open_database:
            states = [row[0] for row in open_database.execute("SELECT state FROM dag_run WHERE dag_id = 'guarded'")]
        if states and states[0] in ("success", "failed"):
            return str(states[0])
        time.sleep(0.2)
    raise TimeoutError(f"after ten minutes: {states}")


def _keys(folder: Path) -> tuple[str, Path]:
    """A private key, and the file of its public one."""
    from tests.components.verification.conftest import new_keys

    keys = new_keys(folder)
    private = keys.private.read_text()
    keys.private.unlink()
    return private, keys.public


def _session(server: GuardedS3, role: str) -> dict[str, str]:
    """What a shell exports to use S3 in a role."""
    import boto3

    places: dict[str, Any] = {"endpoint_url": server.url, "verify": str(server.authority), "region_name": "us-east-1"}
    sts = boto3.client("sts", aws_access_key_id=server.key, aws_secret_access_key=server.secret, **places)
    found = sts.assume_role(RoleArn=role, RoleSessionName="tests", ExternalId=server.external_id)["Credentials"]
    sts.close()
    return {
        "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
        "AWS_SESSION_TOKEN": found["SessionToken"],
        "AWS_CA_BUNDLE": str(server.authority),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": server.url,
        "LITEGATE_WORKSPACE": f"s3://{BUCKET}/workspace",
    }


@contextmanager
def _bucket(server: GuardedS3) -> Iterator[Any]:
    import boto3

    given = _session(server, server.role)
    keys = {
        "aws_access_key_id": given["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": given["AWS_SECRET_ACCESS_KEY"],
        "aws_session_token": given["AWS_SESSION_TOKEN"],
    }
    client: Any = boto3.client("s3", endpoint_url=server.url, verify=str(server.authority), **keys)
    yield client
    client.close()


def _upload(server: GuardedS3, folder: Path) -> None:
    with _bucket(server) as client:
        for name in ("m.keras", "calibration.npz", "test.npz"):
            client.upload_file(str(folder / name), BUCKET, f"inputs/{name}")


def _download(server: GuardedS3, folder: Path) -> Path:
    """All that is in the bucket."""
    with _bucket(server) as client:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for found in page.get("Contents", ()):
                target = folder / found["Key"]
                target.parent.mkdir(parents=True, exist_ok=True)
                client.download_file(BUCKET, found["Key"], str(target))
    return folder


def _litegate(*arguments: str, code: int = 0, **variables: str) -> str:
    """What a command says in a shell that has these variables."""
    dropped = ("AIRFLOW", "AWS_", "MLFLOW_", "LITEGATE_HOME", SIGNING_KEY)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    done = subprocess.run([LITEGATE, *arguments], env=kept | variables, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def _rows(server: GuardedMlflow) -> list[Any]:
    """All that MLflow's registry and its runs hold."""
    with closing(sqlite3.connect(f"file:{server.folder}/mlflow.db?mode=ro", uri=True)) as database:
        names = ("experiments", "runs", "tags", "params", "model_versions", "registered_model_aliases")
        return [database.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in names]


@contextmanager
def _planted(run: Run, server: GuardedMlflow, place: str, secret: str) -> Iterator[None]:
    """In a file where there are others of its kind, or in a row of a copy of the database: nothing of it stays."""
    columns = "dag_run_id, task_id, map_index, key, dag_id, run_id, value, timestamp"
    xcom = f"INSERT INTO xcom ({columns}) SELECT id, 'x', -1, 'x', dag_id, run_id, ?, start_date FROM dag_run"
    tag = "INSERT INTO tags (key, value, run_uuid) SELECT 'planted', ?, run_uuid FROM runs LIMIT 1"
    files = {
        "log": run.folder / "logs" / "planted.log",
        "object": run.objects / "workspace" / "planted.json",
        "xcom": run.folder / "planted.db",
        "tag": server.folder / "planted.db",
    }
    if place == "xcom":
        _copy_with(run.database, files[place], xcom, secret)
    elif place == "tag":
        _copy_with(server.folder / "mlflow.db", files[place], tag, secret)
    else:
        files[place].write_text(json.dumps({"found": secret}))
    yield
    files[place].unlink()


def _copy_with(database: Path, copy: Path, statement: str, secret: str) -> None:
    with closing(sqlite3.connect(database)) as original, closing(sqlite3.connect(copy)) as opened:
        original.backup(opened)
        assert opened.execute(statement, (secret,)).rowcount == 1
        opened.commit()
