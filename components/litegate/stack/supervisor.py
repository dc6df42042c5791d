"""The supervisor: a process that starts the servers, watches them and ends them, leaving nothing.

    python -m litegate.stack HOME

It has one thread. It is the subreaper of all that it starts, so whatever a dying server leaves behind
becomes its child and ends with it.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version

from litegate import storage
from litegate.errors import StackError
from litegate.stack import old_buckets
from litegate.stack.airflow_api import AirflowApi
from litegate.stack.environment import server_environment
from litegate.stack.home import Home, Secrets, write_private
from litegate.stack.processes import ServerProcess, become_subreaper, birth_of, kill_descendants, reap_orphans
from litegate.stack.servers import AIRFLOW_SERVERS, MIGRATION, Server, listens, servers, unhealthy
from litegate.stack.state import BUCKET, Stack

__all__ = ["START_LIMIT", "Supervisor"]

log = logging.getLogger("litegate")

START_LIMIT = 180
_RESTARTS = 3
_POOL, _POOL_SLOTS = "litegate", 2
# Running tasks need the API server and MLflow; those need the S3 server.
_STOP_ORDER = (("scheduler", "dag-processor", "triggerer"), ("api-server", "mlflow"))


class _Stopping(Exception):
    """Somebody asked us to end."""


class Supervisor:
    """Owns the servers of one home."""

    def __init__(self, home: Home, stack: Stack) -> None:
        self.home = home
        self.stack = stack.model_copy(update={"pid": os.getpid(), "birth": birth_of(os.getpid())})
        self.servers = servers(home, stack)
        self.processes: dict[str, ServerProcess] = {}
        self.restarts: Counter[str] = Counter()
        self._asked_to_stop = False

    def run(self) -> int:
        """Start everything, watch it until somebody asks us to end, and end it."""
        signal.signal(signal.SIGTERM, lambda *_: self._ask_to_stop())
        signal.signal(signal.SIGINT, lambda *_: self._ask_to_stop())
        become_subreaper()
        try:
            self._say(phase="starting")
            self._start()
            self._say(phase="ready", waiting=())
            while True:
                self._pause()
                self._revive()
        except _Stopping:
            self._say(phase="stopping")
            self._stop()
            self.stack.forget(self.home)
            return 0
        except Exception as error:
            self._stop()
            self._say(phase="failed", error=str(error))
            raise

    def _start(self) -> None:
        deadline = time.monotonic() + START_LIMIT
        self.secrets = Secrets.of(self.home)
        environment = server_environment(self.home, self.stack, self.secrets, os.environ)
        os.environ.clear()
        os.environ.update(environment)
        self._discard_unfinished_databases()
        for name in ("s3", "mlflow"):
            if name in self.servers:
                self._launch(self.servers[name])
        if not self._database_is_current():
            self._migrate(deadline)
        began = datetime.now(UTC)
        for name in AIRFLOW_SERVERS:
            self._launch(self.servers[name])
        self._fill_buckets(deadline)
        while waiting := unhealthy(self.stack, began):
            self._say(waiting=waiting)
            self._pause()
            self._revive()
            self._check_time(deadline, waiting[-1])
        with AirflowApi(self.stack.airflow_url, self.secrets.password) as airflow:
            airflow.ensure_pool(_POOL, _POOL_SLOTS)
        write_private(self.home.initialised, version("apache-airflow-core"))

    def _database_is_current(self) -> bool:
        stamp = self.home.initialised
        return stamp.exists() and stamp.read_text() == version("apache-airflow-core")

    def _discard_unfinished_databases(self) -> None:
        """A first start that was interrupted leaves half of a schema, with which no server starts again."""
        if not self.home.initialised.exists():
            for path in (*self.home.root.glob("airflow/airflow.db*"), *self.home.root.glob("mlflow/mlflow.db*")):
                path.unlink()

    def _migrate(self, deadline: float) -> None:
        process = self._launch(MIGRATION)
        while (code := process.exit_code()) is None:
            self._pause()
            self._check_time(deadline, MIGRATION.name)
        del self.processes[MIGRATION.name]
        if code != 0:
            raise self._failure(MIGRATION.name, f"ended with {code}")

    def _fill_buckets(self, deadline: float) -> None:
        if not self.stack.embedded_s3:
            return
        while not listens(self.stack.s3_url):
            self._pause()
            self._check_time(deadline, "s3")
        storage.s3_client().create_bucket(Bucket=BUCKET)
        old_buckets.carry_over(storage.s3_client(), self.home)

    def _launch(self, server: Server) -> ServerProcess:
        process = ServerProcess(server.command, os.environ, self.home.log(server.name), server.repeat)
        self.processes[server.name] = process
        return process

    def _revive(self) -> None:
        """Start a server that has died again, a few times at most."""
        for name, process in list(self.processes.items()):
            code = process.exit_code()
            if code is None:
                continue
            process.end(0)
            self.restarts[name] += 1
            if self.restarts[name] > _RESTARTS:
                raise self._failure(name, f"ended {self.restarts[name]} times, the last time with {code}")
            log.warning("%s ended with %s, starting it again", name, code)
            self._pause(2 ** self.restarts[name] / 2)
            self._launch(self.servers[name])
            if name == "s3":
                self._fill_buckets(time.monotonic() + START_LIMIT)

    def _stop(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for names in _STOP_ORDER:
            self._end(*names)
        self._end(*self.processes)
        kill_descendants()

    def _end(self, *names: str) -> None:
        ending = [(self.processes.pop(name), name) for name in names if name in self.processes]
        for process, _ in ending:
            process.ask()
        for process, name in ending:
            process.end(self.servers[name].grace if name in self.servers else 0)

    def _pause(self, seconds: float = 0.25) -> None:
        deadline = time.monotonic() + seconds
        while True:
            if self._asked_to_stop:
                raise _Stopping
            reap_orphans({process.pid for process in self.processes.values()})
            if time.monotonic() >= deadline:
                return
            time.sleep(0.25)

    def _ask_to_stop(self) -> None:
        self._asked_to_stop = True

    def _check_time(self, deadline: float, name: str) -> None:
        if time.monotonic() > deadline:
            raise self._failure(name, f"is not healthy after {START_LIMIT} s")

    def _failure(self, name: str, what: str) -> StackError:
        path = self.home.log(name)
        lines = path.read_text(errors="replace").splitlines()[-15:] if path.exists() else []
        return StackError("\n  ".join((f"{name} {what}; {path} ends with:", *lines)))

    def _say(self, **update: object) -> None:
        stack = self.stack.model_copy(update=update)
        if stack != Stack.read(self.home):
            stack.write(self.home)
        self.stack = stack
