"""The embedded servers, with PostgreSQL as the database of Airflow and of MLflow.

    python -m tests.chaos.stack HOME DATABASE

The embedded servers as they ship keep SQLite files, and a file cannot be killed. `DATABASE` is a folder with
PostgreSQL's programs and files; what else is run, and how it is watched, is litegate's own.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

from litegate.stack.home import Home
from litegate.stack.ports import claimed
from litegate.stack.processes import ServerProcess
from litegate.stack.servers import Server
from litegate.stack.state import Stack
from litegate.stack.supervisor import Supervisor
from tests.servers import Postgres, prepared_postgres

__all__ = ["DATABASE", "prepare"]

DATABASE = "database"
_FILE = "postgres.json"
_NAMES = ("airflow", "mlflow")


def prepare(folder: Path) -> None:
    """Make the database."""
    folder.mkdir(mode=0o755)
    made = prepared_postgres(folder, databases=_NAMES)
    (folder / _FILE).write_text(json.dumps(asdict(made)))


class _Supervisor(Supervisor):
    """Starts the database before all others."""

    first = (DATABASE, *Supervisor.first)

    def __init__(self, home: Home, stack: Stack, database: Postgres) -> None:
        super().__init__(home, stack)
        self.database = database
        mlflow, kept = self.servers["mlflow"], f"sqlite:///{home.root}/mlflow/mlflow.db"
        assert kept in mlflow.command
        moved = tuple(database.url("mlflow") if part == kept else part for part in mlflow.command)
        self.servers["mlflow"] = replace(mlflow, command=moved)
        self.servers[DATABASE] = Server(DATABASE, database.command)

    def environment(self) -> dict[str, str]:
        connection = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database.url("airflow")}
        return super().environment() | connection

    def _launch(self, server: Server) -> ServerProcess:
        process = super()._launch(server)
        if server.name == DATABASE:
            self._wait_for_database(process)
        return process

    def _wait_for_database(self, process: ServerProcess) -> None:
        """A server that finds no database ends, and would be started again."""
        while process.exit_code() is None:
            try:
                socket.create_connection(("127.0.0.1", self.database.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)


def _main(home: Home, folder: Path) -> int:
    values = json.loads((folder / _FILE).read_text())
    database = Postgres(tuple(values["command"]), values["port"])
    home.prepare()
    with claimed(home) as claim:
        stack = Stack.plan(home, dict(os.environ), claim.ports)
        return _Supervisor(home, stack, database).run()


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    sys.exit(_main(Home(Path(sys.argv[1])), Path(sys.argv[2])))
