from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import boto3
import psutil
import pytest

from litegate.errors import BadInput, StackError
from litegate.stack import Home, Stack, running, start, stop
from litegate.stack.ending import last_error
from litegate.stack.environment import client_environment, server_environment
from litegate.stack.home import Secrets
from litegate.stack.ports import Asked
from litegate.stack.processes import MARKER, birth_of, marked_processes
from litegate.stack.servers import unhealthy


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    (tmp_path / "dags").mkdir()
    monkeypatch.setenv("LITEGATE_DAGS_FOLDER", str(tmp_path / "dags"))
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "LITEGATE_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    home = Home(tmp_path / "home")
    home.prepare()
    yield home
    stop(home)


def test_stopping_a_home_without_a_stack_does_nothing(home):
    assert running(home) is None
    assert not stop(home)


def test_stopping_a_home_that_does_not_exist_does_not_make_it(tmp_path):
    assert not stop(Home(tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()


def test_the_record_of_a_dead_supervisor_is_cleaned_up_with_what_it_left(home):
    stack = Stack.plan(home, {})
    orphan = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], env=os.environ | {MARKER: stack.marker}
    )
    with orphan:
        # Our own pid, but not our own start: the supervisor's number has been given to another process.
        stale = stack.model_copy(update={"pid": os.getpid(), "birth": (birth_of(os.getpid()) or 0) - 1})
        stale.write(home)

        assert running(home) is None
        assert stop(home)
        assert birth_of(orphan.pid) is None
    assert not home.state.exists()


def test_an_s3_server_that_does_not_answer_is_named_before_anything_starts(home, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")

    with pytest.raises(StackError, match=r"does not answer: http://127\.0\.0\.1:9"):
        start(home)

    assert not home.state.exists()


@pytest.mark.e2e
def test_why_a_start_failed_is_known_afterwards(home):
    """A database that belongs to nobody's Airflow cannot be migrated."""
    home.initialised.write_text("another version")
    (home.root / "airflow" / "airflow.db").write_bytes(b"no database at all " * 100)

    with pytest.raises(StackError, match="airflow-migration ended with 1"):
        start(home)

    assert running(home) is None
    left = Stack.read(home)
    assert left.phase == "failed"
    assert "airflow-migration ended with 1" in (last_error(home, left) or "")
    assert marked_processes(left.marker) == []


@pytest.mark.e2e
def test_the_stack_starts_keeps_its_objects_and_leaves_no_process_behind(home):
    stack, started = start(home)
    assert started
    assert unhealthy(stack) == ()
    assert start(home) == (stack, False)
    with pytest.raises(BadInput, match=rf"--airflow-port: expected .* got one that runs at {stack.airflow_url}"):
        start(home, asked=Asked(airflow=1))
    assert places_in_airflows_own_file(home) <= set(server_environment(home, stack, Secrets.of(home), {}))
    put(home, stack, "kept", b"across a stop")
    put(home, stack, "also kept", b"across the death of the server")
    server = next(each for each in marked_processes(stack.marker) if "litegate.stack.s3" in each.cmdline())
    server.kill()
    psutil.wait_procs([server], timeout=10)
    assert start(home)[0].marker == stack.marker, "it is started again by the supervisor"
    assert s3(home, stack).get_object(Bucket="litegate", Key="also kept")["Body"].read().startswith(b"across the death")
    (death,) = Stack.read(home).deaths
    assert (death.server, death.exit_code, death.in_all) == ("s3", -9, 1)

    assert stop(home)
    assert marked_processes(stack.marker) == []
    assert not stop(home)

    half, dead = abandoned_by_a_killed_step(home)
    again, _ = start(home)
    assert not half.exists()
    assert not dead.exists()
    assert addresses(again) == addresses(stack), "links survive a restart"
    assert (home.root / "logs" / "1" / "s3.log").exists(), "the logs of the last start are kept"
    assert s3(home, again).get_object(Bucket="litegate", Key="kept")["Body"].read() == b"across a stop"

    supervisor = psutil.Process(again.pid)
    supervisor.kill()
    psutil.wait_procs([supervisor], timeout=10)
    assert running(home) is None
    assert "was killed while the servers ran" in (last_error(home, Stack.read(home)) or "")
    assert stop(home)
    assert marked_processes(again.marker) == []
    assert not any(secret in log for secret in secrets(home) for log in logs(home))


def places_in_airflows_own_file(home: Home) -> set[str]:
    """The variables in place of which Airflow's file has paths of the home, which may be restored elsewhere."""
    settings = ConfigParser(interpolation=None)
    settings.read(home.root / "airflow" / "airflow.cfg")
    return {
        f"AIRFLOW__{section}__{name}".upper()
        for section in settings.sections()
        for name, value in settings.items(section)
        if str(home.root) in value
    }


def addresses(stack: Stack) -> tuple[str, str, str]:
    return stack.airflow_url, stack.mlflow_url, stack.s3_url


def s3(home: Home, stack: Stack):
    reach = client_environment(home, stack)
    return boto3.client(
        "s3",
        endpoint_url=stack.s3_url,
        region_name=reach["AWS_DEFAULT_REGION"],
        aws_access_key_id=reach["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=reach["AWS_SECRET_ACCESS_KEY"],
    )


def abandoned_by_a_killed_step(home: Home) -> tuple[Path, Path]:
    folder = home.root / "scratch" / "convert-a1"
    folder.mkdir()
    half = home.root / "workspace" / "files" / ".tmp-half"
    half.parent.mkdir(exist_ok=True)
    half.write_bytes(b"half")
    for path in (half, folder):
        os.utime(path, (0, 0))
    return half, folder


def put(home: Home, stack: Stack, key: str, body: bytes) -> None:
    s3(home, stack).put_object(Bucket="litegate", Key=key, Body=body)


def secrets(home: Home) -> list[str]:
    """An access key is no secret: it is in every address that is signed with it."""
    return [path.read_text() for path in (home.root / "secrets").iterdir() if path.name != "s3-access-key"]


def logs(home: Home) -> list[str]:
    return [path.read_text(errors="replace") for path in (home.root / "logs").rglob("*.log")]
