"""The supervisor: a process that starts the servers, watches them and ends them, leaving nothing.

    python -m litegate.stack HOME

It has one thread. It is the subreaper of all that it starts, so whatever a dying server leaves behind
becomes its child and ends with it.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import time
from datetime import UTC, datetime
from importlib.metadata import version
from subprocess import SubprocessError

from litegate import disk
from litegate.errors import DiskFull, StackError
from litegate.execution.warm.keeping import variables_of
from litegate.stack import cleaning, logs, old_buckets
from litegate.stack.airflow_api import AirflowApi
from litegate.stack.databases import write_ahead
from litegate.stack.deaths import Death
from litegate.stack.environment import server_environment
from litegate.stack.home import Home, Secrets, write_private
from litegate.stack.processes import ServerProcess, become_subreaper, birth_of, kill_descendants, reap_orphans
from litegate.stack.reviving import Revivals
from litegate.stack.servers import AIRFLOW_SERVERS, MIGRATION, START_LIMIT, Server, listens, servers, unhealthy
from litegate.stack.state import BUCKET, Stack
from litegate.storage.s3 import s3_client

__all__ = ["Supervisor"]

log = logging.getLogger("litegate")

# During the start somebody waits for the answer; later nobody does, and the other servers are of use.
_DEATHS_AT_START = 3
_DISK_EVERY = 30.0
_POOL, _POOL_SLOTS = "litegate", 2
# Running tasks need the API server and MLflow; those need the S3 server.
_STOP_ORDER = (("scheduler", "dag-processor", "triggerer"), ("api-server", "mlflow"))


class _Stopping(Exception):
    """Somebody asked us to end."""


class Supervisor:
    """Owns the servers of one home.

    Attributes:
        first: the servers that are started before Airflow's database is migrated.
    """

    first: tuple[str, ...] = ("s3", "mlflow")

    def __init__(self, home: Home, stack: Stack) -> None:
        self.home = home
        self.stack = stack.model_copy(update={"pid": os.getpid(), "birth": birth_of(os.getpid())})
        self.servers = servers(home, stack)
        self.processes: dict[str, ServerProcess] = {}
        self.revivals = Revivals()
        self._asked_to_stop = False
        self._disk_seen = -_DISK_EVERY

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
                self._look_at_disk()
        except _Stopping:
            self._say(phase="stopping")
            self._stop()
            self.stack.forget(self.home)
            return 0
        except Exception as error:
            self._say(error=str(error) or type(error).__name__)
            self._stop()
            self._say(phase="failed")
            raise

    def _start(self) -> None:
        deadline = time.monotonic() + START_LIMIT
        self.secrets = Secrets.of(self.home)
        environment = self.environment()
        os.environ.clear()
        os.environ.update(environment)
        self._set_unfinished_databases_aside()
        write_ahead(self.home.root / "mlflow" / "mlflow.db")  # as Airflow has its own
        for name in self.first:
            if name in self.servers:
                self._launch(self.servers[name])
        if not self._database_is_current():
            self._migrate(deadline)
        began = datetime.now(UTC)
        for name in (*AIRFLOW_SERVERS, *(name for name, server in self.servers.items() if server.warm is not None)):
            self._launch(self.servers[name])
        self._fill_buckets(deadline)
        cleaning.clean_files(self.home, self.stack)
        while waiting := unhealthy(self.stack, began):
            self._say(waiting=waiting)
            self._pause()
            self._revive()
            self._check_time(deadline, waiting[-1])
        with AirflowApi(self.stack.airflow_url, self.secrets.password) as airflow:
            airflow.ensure_pool(_POOL, _POOL_SLOTS)
        cleaning.end_dead_runs(self.home, self.stack)
        write_private(self.home.initialised, version("apache-airflow-core"))

    def environment(self) -> dict[str, str]:
        """What every server runs with."""
        return server_environment(self.home, self.stack, self.secrets, os.environ)

    def _database_is_current(self) -> bool:
        stamp = self.home.initialised
        return stamp.exists() and stamp.read_text() == version("apache-airflow-core")

    def _set_unfinished_databases_aside(self) -> None:
        """A first start that was interrupted leaves half of a schema, with which no server starts again.

        Nothing is deleted: where the stamp alone was lost, one of them is the whole registry.
        """
        found = [*self.home.root.glob("airflow/airflow.db*"), *self.home.root.glob("mlflow/mlflow.db*")]
        if self.home.initialised.exists() or not found:
            return
        aside = self.home.root / "set-aside" / datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        aside.mkdir(parents=True, mode=0o700)
        for path in found:
            path.rename(aside / path.name)
        log.warning("no start of this home was finished: its databases are in %s now, and new ones are made", aside)

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
            self._revive()
            self._check_time(deadline, "s3")
        s3_client().create_bucket(Bucket=BUCKET)
        old_buckets.carry_over(s3_client(), self.home)

    def _launch(self, server: Server) -> ServerProcess:
        environment = os.environ if server.warm is None else variables_of(os.environ, server.warm)
        process = ServerProcess(server.command, environment, self.home.log(server.name), server.repeat, server.warm)
        self.processes[server.name] = process
        self.revivals.started(server.name)
        return process

    def _revive(self) -> None:
        """Start each server that has died again, when its time has come; the others do not wait for it."""
        for name, process in list(self.processes.items()):
            code = process.exit_code()
            if code is not None:
                process.end(0)
                del self.processes[name]
                self._note_death(name, code)
        for name in self.revivals.due():
            try:
                self._launch(self.servers[name])
            except (OSError, SubprocessError) as error:  # no room for its log, or for one more process
                self._note_death(name, None, str(error))

    def _note_death(self, name: str, code: int | None, reason: str = "") -> None:
        in_a_row, in_all, wait = self.revivals.died(name)
        optional = self.servers[name].warm is not None
        if optional and code == 0:
            return  # what it had loaded has changed, and it made room for another one
        path = self.home.log(name)
        death = Death(
            server=name,
            exit_code=code,
            at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            in_a_row=in_a_row,
            in_all=in_all,
            wait=wait,
            reason=disk.shortage(self.home.root) or reason,
            log=str(path),
            said=logs.tail(path),
        )
        log.warning("%s", death)
        self._say(deaths=(*(each for each in self.stack.deaths if each.server != name), death))
        if self.stack.phase == "starting" and in_a_row > _DEATHS_AT_START and not optional:
            raise StackError(death.with_log)

    def _look_at_disk(self) -> None:
        """Say now and then how it is about the disk, and what could not be written when it was full."""
        if time.monotonic() - self._disk_seen >= _DISK_EVERY:
            self._disk_seen = time.monotonic()
            short = disk.shortage(self.home.root)
            if short and not self.stack.disk:
                log.warning("%s", short)
            self._say(disk=short)

    def _stop(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for names in _STOP_ORDER:
            self._end(*names)
        self._end(*self.processes)
        kill_descendants()
        shutil.rmtree(self.home.warm, ignore_errors=True)

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
        return StackError("\n  ".join((f"{name} {what}; {path} ends with:", *logs.tail(path))))

    def _say(self, **update: object) -> None:
        self.stack = self.stack.model_copy(update=update)
        if self.stack != Stack.read(self.home):
            try:
                self.stack.write(self.home)
            except DiskFull as error:  # the servers may go on; it is said when there is room
                log.warning("%s", error)
