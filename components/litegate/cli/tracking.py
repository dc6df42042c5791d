"""Steps against MLflow from a shell: that of the home's running servers, else the one that the environment names."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from litegate.errors import StackError, StepFailed
from litegate.execution.step_run import StepRun
from litegate.failures import FailureKind
from litegate.records import FileRef, Record
from litegate.settings import Settings, executor, warm_folder
from litegate.stack import Home, Stack, running
from litegate.stack.environment import client_environment
from litegate.steps import STEPS
from litegate.storage.workspace import Workspace

__all__ = ["Tracking", "tracking", "using_workspace"]

URI = "MLFLOW_TRACKING_URI"
# MLflow's own default asks a server that is gone for minutes.
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3"}
_DIRECTLY = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


class Tracking:
    """Runs steps that use one MLflow.

    Attributes:
        server: its address for people, without a password.
    """

    def __init__(self, uri: str, folder: Path, home: Path) -> None:
        self.server = _without_password(uri)
        self._uri = uri
        self._settings = Settings(
            workspace=str(folder),
            cache=folder / "cache",
            scratch=folder / "scratch",
            pythons={"service": Path(sys.executable)},
            executor=executor(),
            warm=warm_folder(home),
        )

    def run(self, step: str, request: Record) -> Any:
        """The step's result.

        Raises:
            BadInput: it refused its input.
            StackError: MLflow does not answer.
            StepFailed: anything else.
        """
        try:
            return StepRun(STEPS[step], request, self._settings).run()
        except StepFailed as error:
            detail = error.detail.replace(self._uri, self.server)
            if error.kind is FailureKind.INFRASTRUCTURE:
                raise StackError(f"MLflow at {self.server} does not answer: {detail[:500]}") from None
            raise StepFailed(error.step, error.kind, detail) from None

    def fetch(self, file: FileRef) -> Path:
        """A file that a step has handed back; it is there until `tracking` ends."""
        return Workspace(self._settings.workspace, self._settings.cache).fetch(file)


@contextmanager
def tracking(home: Home) -> Iterator[Tracking]:
    """MLflow for as long as it is needed.

    Raises:
        StackError: no servers run in the home folder, and the environment names none.
    """
    stack = running(home)
    if stack is not None and stack.phase != "ready":
        raise StackError(f"the servers in {home.root} are {stack.phase}: try again in a moment")
    reach = client_environment(home, stack) | _DIRECTLY if stack else {}
    with tempfile.TemporaryDirectory(prefix="litegate-") as folder, _environment(_PATIENCE | dict(os.environ) | reach):
        if not os.environ.get(URI):
            raise StackError(
                f"no servers run in {home.root}: start them with `litegate start`, or name your MLflow server by {URI}"
            )
        yield Tracking(os.environ[URI], Path(folder), home.root)


@contextmanager
def using_workspace(home: Home, stack: Stack) -> Iterator[None]:
    """The workspace of the servers, for steps that their tasks run as well."""
    places = {"LITEGATE_HOME": str(home.root), "LITEGATE_WORKSPACE": stack.workspace}
    with _environment(dict(os.environ) | client_environment(home, stack) | _DIRECTLY | places):
        yield


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _without_password(uri: str) -> str:
    host = urlsplit(uri).netloc.rpartition("@")
    return uri.replace(f"{host[0]}@", "", 1) if host[1] else uri
