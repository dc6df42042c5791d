"""The embedded servers as a world."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from litegate.errors import StackError
from litegate.stack.airflow_api import RunId
from litegate.stack.home import Home
from litegate.stack.processes import marked_processes
from litegate.stack.servers import unhealthy
from litegate.stack.state import Stack
from litegate.storage.scratch import TEMPORARY
from tests.chaos import stack as stacks
from tests.chaos.checks import objects_below
from tests.chaos.world import Ended, World

__all__ = ["EmbeddedWorld", "children", "clean_environment"]

_HERE = Path(__file__).parents[2]
_LITEGATE = Path(sys.executable).parent / "litegate"
_SERVERS = {
    "scheduler": r"litegate_airflow\.server scheduler",
    "api-server": r"airflow api[_-]server",
    "dag-processor": r"litegate_airflow\.server dag-processor",
    "triggerer": r"airflow triggerer",
    "mlflow": r"-m mlflow server",
    "s3": r"-m litegate\.stack\.s3",
    "warm parent": r"-m litegate\.execution\.warm",
    "database": r"postgres -D",
}
_TASKS = ("worker", "task", "step")
_LIMIT, _RUN_LIMIT = 300.0, 900.0


def clean_environment() -> dict[str, str]:
    """Our own variables without those that would lead to other servers."""
    dropped = ("AIRFLOW", "AWS_", "LITEGATE_", "MLFLOW_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    if python := os.environ.get("LITEGATE_TENSORFLOW_PYTHON"):
        kept["LITEGATE_TENSORFLOW_PYTHON"] = python
    return kept


class EmbeddedWorld(World):
    """The embedded servers in a home of their own, with a PostgreSQL that can be killed.

    Args:
        root: an empty folder, which the user `nobody` can come to if we are root.
        variables: of the environment of servers and commands, beside our own.
    """

    kinds = (*_SERVERS, *_TASKS)

    def __init__(self, root: Path, variables: Mapping[str, str] | None = None) -> None:
        self.root, self.home = root, Home(root / "home")
        self._variables = dict(variables or {})
        self._database = root / "postgres"
        self._marker = ""
        self._supervisor: subprocess.Popen[bytes] | None = None

    @property
    def stack(self) -> Stack:
        """What the supervisor says.

        Raises:
            StackError: there is none.
        """
        found = Stack.read(self.home)
        if found is None:
            raise StackError(f"no servers in {self.home.root}")
        return found

    @property
    def mlflow_url(self) -> str:
        return self.stack.mlflow_url

    @property
    def airflow_login(self) -> tuple[str, str]:
        return self.stack.airflow_url, self.home.password_file.read_text()

    def start(self) -> None:
        if not self._database.exists():
            stacks.prepare(self._database)
        with (self.root / "supervisor.log").open("ab") as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.stack", str(self.home.root), str(self._database)],
                cwd=_HERE,
                env=clean_environment() | self._variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while (found := Stack.read(self.home)) is None or found.phase != "ready":
            if (code := self._supervisor.poll()) is not None:
                raise StackError(f"the supervisor ended with {code}; see {self.root}/supervisor.log")
            time.sleep(0.2)
        self._marker = found.marker

    def stop(self) -> None:
        ended = self.litegate("stop")
        if ended.code:
            raise StackError(ended.output)
        if self._supervisor is not None:
            self._supervisor.wait(60)

    def recover(self) -> None:
        deadline = time.monotonic() + _LIMIT
        while waiting := (*unhealthy(self.stack), *(name for name in _SERVERS if not self.processes(name))):
            if time.monotonic() > deadline:
                raise StackError(f"not healthy by themselves after {_LIMIT:g} s: {', '.join(waiting)}")
            time.sleep(0.5)

    def processes(self, kind: str) -> list[psutil.Process]:
        if kind in _SERVERS:
            return list(self._servers(kind))
        workers = [each for server in self._servers("scheduler") for each in children(server)]
        if kind == "worker":
            return workers
        tasks = [task for worker in workers for task in children(worker)]
        if kind == "task":
            return tasks
        parents = [*tasks, *self._servers("warm parent")]
        return [each for parent in parents for each in children(parent, recursive=True)]

    def place(self, path: Path) -> str:
        return str(path)

    def run(self, spec: Path) -> Ended:
        return self.litegate("run", spec, result=self.root / "run.json")

    def follow(self, run: RunId) -> Ended:
        return self.litegate("follow", run.run, result=self.root / "run.json")

    def litegate(self, *arguments: str | Path, result: Path | None = None) -> Ended:
        command = [str(_LITEGATE), *map(str, arguments), "--home", str(self.home.root)]
        if result is not None:
            result.unlink(missing_ok=True)
            command += ["--json", str(result)]
        environment = clean_environment() | self._variables
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False, timeout=_RUN_LIMIT
            )
        except subprocess.TimeoutExpired:
            return Ended(-1, f"{arguments[0]} does not end within {_RUN_LIMIT:g} s", None)
        written = json.loads(result.read_text()) if result is not None and result.exists() else None
        return Ended(done.returncode, done.stdout + done.stderr, written)

    def objects(self) -> Iterator[tuple[str, bytes]]:
        yield from objects_below(self.home.workspace)

    def left_running(self) -> Sequence[psutil.Process]:
        return marked_processes(self._marker)

    def left_behind(self) -> Sequence[Path]:
        cached = (self.home.root / "cache").rglob(TEMPORARY)
        return [*(self.home.root / "scratch").iterdir(), *self.home.workspace.rglob(TEMPORARY), *cached]

    def _servers(self, kind: str) -> Iterator[psutil.Process]:
        """Each server leads a session; what else the supervisor has below it was left by one that died."""
        for process in children(psutil.Process(self.stack.pid)):
            try:
                if os.getsid(process.pid) == process.pid and re.search(_SERVERS[kind], " ".join(process.cmdline())):
                    yield process
            except (psutil.Error, ProcessLookupError):
                continue


def children(process: psutil.Process, recursive: bool = False) -> list[psutil.Process]:
    """Its child processes, and theirs; none if it has ended."""
    try:
        return process.children(recursive=recursive)
    except psutil.Error:
        return []
