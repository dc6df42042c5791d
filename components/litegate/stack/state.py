"""What is known about the running stack: one record in `stack.json`, the supervisor writes it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from uuid import uuid4

from pydantic import ValidationError

from litegate.errors import StackError
from litegate.record import Record
from litegate.stack.deaths import Death
from litegate.stack.home import Home, write_private
from litegate.stack.ports import Ports
from litegate.stack.processes import is_same_process

__all__ = ["BUCKET", "EMBEDDED_S3", "Stack"]

BUCKET = "litegate"
# Beside our own endpoint in `litegate env`: a shell that has evaluated it does not name a server of the user's.
EMBEDDED_S3 = "LITEGATE_EMBEDDED_S3"


class Stack(Record, extra="ignore"):  # a newer litegate may have started what this one is to stop
    """The stack as its supervisor last described it.

    Attributes:
        marker: in the environment of every process of this stack, as `LITEGATE_STACK`.
        pid: the supervisor, 0 until it runs.
        birth: the supervisor's start in clock ticks, which tells it from a later process of the same pid.
        embedded_s3: whether the S3 server is ours rather than the user's.
        waiting: the servers that were not healthy yet.
        error: why it ended, for people.
        deaths: the last death of each server that died, the latest last.
        disk: what is to be said of a disk that is almost full.
    """

    marker: str
    pid: int = 0
    birth: int = 0
    phase: Literal["starting", "ready", "stopping", "failed"] = "starting"
    airflow_url: str
    mlflow_url: str
    s3_url: str
    embedded_s3: bool
    workspace: str
    dags_folder: str
    waiting: tuple[str, ...] = ()
    error: str | None = None
    deaths: tuple[Death, ...] = ()
    disk: str | None = None

    @classmethod
    def plan(cls, home: Home, environment: dict[str, str], ports: Ports | None = None) -> Stack:
        """A stack; it uses the user's S3 server if the environment names one."""
        at = ports or Ports()
        airflow, mlflow, s3 = (f"http://127.0.0.1:{port}" for port in (at.airflow, at.mlflow, at.s3))
        users = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
        if users == environment.get(EMBEDDED_S3):
            users = None
        return cls(
            marker=uuid4().hex,
            airflow_url=airflow,
            mlflow_url=mlflow,
            s3_url=users or s3,
            embedded_s3=not users,
            workspace=_absolute(environment.get("LITEGATE_WORKSPACE") or str(home.workspace)),
            dags_folder=_absolute(environment.get("LITEGATE_DAGS_FOLDER") or str(_dag_files())),
        )

    @classmethod
    def read(cls, home: Home) -> Stack | None:
        """The home's stack, running or not; None where there is none."""
        try:
            return cls.model_validate_json(home.state.read_text())
        except (FileNotFoundError, ValidationError):
            return None

    def write(self, home: Home) -> None:
        """Make this the home's stack."""
        write_private(home.state, self.model_dump_json(indent=2) + "\n")

    def forget(self, home: Home) -> None:
        """Remove the record, unless another stack has taken its place."""
        current = Stack.read(home)
        if current is None or current.marker == self.marker:
            home.state.unlink(missing_ok=True)

    @property
    def alive(self) -> bool:
        """Whether the supervisor runs."""
        return is_same_process(self.pid, self.birth)


def _absolute(place: str) -> str:
    return place if "://" in place else str(Path(place).absolute())


def _dag_files() -> Path:
    """Those of the checkout, or the same as the wheel has them.

    Raises:
        StackError: neither is there.
    """
    provider = find_spec("litegate_airflow")  # found, not imported
    package = Path(provider.origin).resolve().parent if provider and provider.origin else Path()
    for folder in (package.parents[1] / "dags" if package.name else package, package / "dag_files"):
        if (folder / "litegate_dags.py").is_file():
            return folder
    raise StackError(f"no DAG files of litegate beside {package}: install it anew, or set LITEGATE_DAGS_FOLDER")
