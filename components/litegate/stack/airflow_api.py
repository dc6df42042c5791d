"""The few calls of Airflow's REST API that we need."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from litegate.errors import StackError
from litegate.stack.home import ADMIN

__all__ = ["AirflowApi", "RunId", "TaskState"]

_PAGE = 100


@dataclass(frozen=True)
class RunId:
    """A DAG run."""

    dag: str
    run: str

    @property
    def path(self) -> str:
        """Its part of an address, the same in the API and in the user interface but for the folders' names."""
        return f"dags/{quote(self.dag, safe='')}/dagRuns/{quote(self.run, safe=':+')}"


@dataclass(frozen=True)
class TaskState:
    """A task of a run as Airflow sees it now; `label` names one element of a mapped task."""

    task: str
    map_index: int
    label: str | None
    state: str | None
    tries: int

    @property
    def name(self) -> str:
        """The task with its element, for people."""
        element = self.label or (str(self.map_index) if self.map_index >= 0 else "")
        return f"{self.task} [{element}]" if element else self.task


class AirflowApi:
    """A client of one Airflow, logged in as its administrator.

    Args:
        patience: seconds for which a server that does not answer is asked again.
    """

    def __init__(self, url: str, password: str, patience: float = 30) -> None:
        self.url, self.patience = url, patience
        self._password = password
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def __enter__(self) -> AirflowApi:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def ensure_pool(self, name: str, slots: int) -> None:
        """Make a pool if there is none of that name."""
        body = {"name": name, "slots": slots, "include_deferred": False}
        self._send("POST", "pools", accept=(409,), json=body)

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """A DAG's details, or None while there is no such DAG."""
        answer = self._send("GET", f"dags/{dag_id}", accept=(404,))
        return None if answer.status_code == 404 else answer.json()

    def dags(self, prefix: str) -> list[dict[str, Any]]:
        """All DAGs whose ids begin with `prefix`."""
        return [dag for dag in self._pages("dags", "dags", {}) if dag["dag_id"].startswith(prefix)]

    def parse_again(self, file_token: str) -> None:
        """Ask for a DAG file to be parsed before its turn."""
        self._send("PUT", f"parseDagFile/{file_token}", accept=(409,))

    def import_errors(self) -> list[str]:
        """What is wrong in DAG files, each message with the file's name."""
        return [
            f"{e['filename']}: {e['stack_trace'].strip()}" for e in self._pages("importErrors", "import_errors", {})
        ]

    def unpause(self, dag_id: str) -> None:
        """Let runs of the DAG begin."""
        self._send("PATCH", f"dags/{dag_id}", json={"is_paused": False})

    def trigger(self, run: RunId, conf: Mapping[str, Any] | None = None) -> None:
        """Start a run, with some values of its form."""
        body = {"dag_run_id": run.run, "logical_date": None, "conf": dict(conf or {})}
        # A request that was sent twice finds its run already there.
        self._send("POST", f"dags/{run.dag}/dagRuns", accept=(409,), json=body)

    def state(self, run: RunId) -> str:
        """The state of a run: queued, running, success or failed."""
        return str(self._send("GET", run.path).json()["state"])

    def fail(self, run: RunId) -> None:
        """Mark a run as failed, which ends its tasks."""
        self._send("PATCH", run.path, json={"state": "failed"})

    def tasks(self, run: RunId) -> list[TaskState]:
        """Every task instance of a run, those that started first at the front."""
        items = list(self._pages(f"{run.path}/taskInstances", "task_instances", {}))
        items.sort(key=lambda item: item["start_date"] or "~")
        return [
            TaskState(i["task_id"], i["map_index"], i["rendered_map_index"], i["state"], i["try_number"]) for i in items
        ]

    def xcom(self, run: RunId, task: str, key: str, map_index: int = -1) -> Any | None:
        """What a task has pushed, or None."""
        path = f"{run.path}/taskInstances/{task}/xcomEntries/{key}"
        answer = self._send("GET", path, accept=(404,), params={"map_index": map_index})
        return None if answer.status_code == 404 else answer.json()["value"]

    def log(self, run: RunId, task: TaskState) -> list[str]:
        """The lines that a task's last try has logged."""
        path = f"{run.path}/taskInstances/{task.task}/logs/{max(task.tries, 1)}"
        parameters = {"map_index": task.map_index, "full_content": True}
        answer = self._send("GET", path, accept=(404,), params=parameters, headers={"Accept": "application/json"})
        content = answer.json().get("content", []) if answer.status_code == 200 else []
        return [str(line["event"]) if isinstance(line, dict) else str(line) for line in content]

    def created_runs(self, run: RunId) -> list[RunId]:
        """The runs that the asset events of `run` have started."""
        parameters = {"source_dag_id": run.dag, "source_run_id": run.run}
        events = self._pages("assets/events", "asset_events", parameters)
        return [RunId(made["dag_id"], made["run_id"]) for event in events for made in event["created_dagruns"]]

    def page_of(self, run: RunId) -> str:
        """The run's page in the user interface."""
        return f"{self.url}/{run.path.replace('dagRuns', 'runs')}"

    def answer_page_of(self, run: RunId, task: str) -> str:
        """Where what a task asks is answered."""
        return f"{self.page_of(run)}/tasks/{task}/required_actions"

    def _pages(self, path: str, key: str, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        offset, total = 0, 1
        while offset < total:
            answer = self._send("GET", path, params=parameters | {"limit": _PAGE, "offset": offset}).json()
            yield from answer[key]
            offset, total = offset + _PAGE, answer["total_entries"]

    def _send(self, method: str, path: str, accept: tuple[int, ...] = (), **arguments: Any) -> httpx.Response:
        deadline = time.monotonic() + self.patience
        while True:
            try:
                answer = self._send_once(method, f"/api/v2/{path}", arguments)
                if answer.status_code < 500:
                    break
                problem = f"HTTP {answer.status_code}"
            except httpx.TransportError as error:
                problem = str(error) or type(error).__name__
            if time.monotonic() > deadline:
                raise StackError(f"Airflow at {self.url} does not answer: {problem}")
            time.sleep(1)
        if answer.is_success or answer.status_code in accept:
            return answer
        raise StackError(f"Airflow refused {method} {path}: HTTP {answer.status_code}, {answer.text[:500]}")

    def _send_once(self, method: str, path: str, arguments: dict[str, Any]) -> httpx.Response:
        answer = self._http.request(method, path, **arguments) if "Authorization" in self._http.headers else None
        if answer is None or answer.status_code == 401:
            self._log_in()
            answer = self._http.request(method, path, **arguments)
        return answer

    def _log_in(self) -> None:
        body = {"username": ADMIN, "password": self._password}
        answer = self._http.post("/auth/token", json=body)
        if answer.status_code >= 500:
            raise httpx.ConnectError(f"HTTP {answer.status_code} at log-in")
        if not answer.is_success:
            raise StackError(f"Airflow at {self.url} refused the log-in of {ADMIN}: HTTP {answer.status_code}")
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
