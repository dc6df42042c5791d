"""Airflow's real API server on loopback, with the quantize DAGs of a folder of specs, and no scheduler.

    python -m tests.airflow_server PORT

Runs that are triggered stay queued; tests put what tasks would leave there by the API.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from litegate.stack.airflow_api import AirflowApi, RunId
from tests.servers import free_port, wait_until_listening

__all__ = ["PASSWORD", "ArrangedAirflow", "airflow_server"]

PASSWORD = "for tests"
DAGS = Path(__file__).parents[1] / "dags"
SECRETS = {"API__SECRET_KEY": "s" * 64, "API_AUTH__JWT_SECRET": "j" * 64}


class ArrangedAirflow(AirflowApi):
    """A client that can also do what the scheduler and the tasks would."""

    def leave(self, run: RunId, task: str, key: str, value: Any) -> None:
        """What a task would push."""
        path = f"{run.path}/taskInstances/{task}/xcomEntries"
        self._send("POST", path, json={"key": key, "value": value, "map_index": -1})

    def set_task(self, run: RunId, task: str, state: str) -> None:
        """How a task ended."""
        self._send("PATCH", f"{run.path}/taskInstances/{task}", json={"new_state": state})

    def set_run(self, run: RunId, state: str) -> None:
        """How a run ended, without a note."""
        self._send("PATCH", run.path, json={"state": state})


@contextmanager
def airflow_server(home: Path, specs: Path) -> Iterator[str]:
    """A server with a database of its own in `home`; its address."""
    port = free_port()
    (home / "dags").mkdir()
    (home / "users.json").write_text(json.dumps({"admin": PASSWORD}))
    values = SECRETS | {
        "CORE__DAGS_FOLDER": str(home / "dags"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "users.json"),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }
    environment = os.environ | {f"AIRFLOW__{name}": value for name, value in values.items()}
    environment |= {"AIRFLOW_HOME": str(home), "LITEGATE_SPEC_FOLDERS": str(specs)}
    command = [sys.executable, "-m", "tests.airflow_server", str(port)]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[1], stdout=log, stderr=log)
    try:
        wait_until_listening(port, process, home / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _serve(port: int) -> None:
    warnings.simplefilter("ignore")  # its dependencies deprecate each other, at import
    import uvicorn
    from airflow.api_fastapi.app import create_app
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.utils.db import initdb
    from airflow.utils.session import create_session

    initdb()
    with create_session() as session:
        DagBundlesManager().sync_bundles_to_db(session=session)
    bag = DagBag(DAGS / "litegate_dags.py")
    if bag.import_errors:
        raise SystemExit(str(bag.import_errors))
    sync_bag_to_db(bag, "dags-folder", None)
    uvicorn.run(create_app(apps="core"), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
