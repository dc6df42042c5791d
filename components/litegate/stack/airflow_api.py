"""The few calls of Airflow's REST API that we need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from litegate.errors import StackError
from litegate.stack.home import ADMIN
from litegate.stack.http import no_certificates
from litegate.stack.patience import Patience, Server

__all__ = ["AirflowApi", "DagRun", "RunId", "TaskState"]

_PAGE = 100
_UNDER_WAY = ("queued", "running")


def _silently(line: str) -> None:
    pass


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
class DagRun:
    """A run as Airflow lists it; times are ISO 8601, None where it has not begun or ended."""

    id: RunId
    state: str
    began: str | None
    ended: str | None
    note: str | None


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

    Every call may be sent several times; Airflow does each once.

    Attributes:
        patience: how long a server that does not answer is asked again.
        say: is told, for people, when it is slow to answer.
    """

    def __init__(self, url: str, password: str, patience: Patience | None = None) -> None:
        self.url, self.patience = url, patience or Patience(limit=30)
        self.say: Callable[[str], None] = _silently
        self._password = password
        self._http = httpx.Client(base_url=url, trust_env=False, verify=no_certificates())

    def __enter__(self) -> Self:
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

    def documentation(self, dag_id: str) -> str:
        """What a DAG's page says, as it would run now; nothing while there is no such DAG."""
        answer = self._send("GET", f"dags/{dag_id}/details", accept=(404,))
        return "" if answer.status_code == 404 else answer.json()["doc_md"] or ""

    def dags(self, prefix: str) -> list[dict[str, Any]]:
        """All DAGs whose ids begin with `prefix`."""
        return [dag for dag in self._pages("dags", "dags", {}) if dag["dag_id"].startswith(prefix)]

    def file_tokens(self, tag: str) -> set[str]:
        """What Airflow calls the files that it has DAGs of which have this tag."""
        return {dag["file_token"] for dag in self._pages("dags", "dags", {"tags": tag})}

    def parse_again(self, file_token: str) -> None:
        """Ask for a DAG file to be parsed before its turn."""
        self._send("PUT", f"parseDagFile/{file_token}", accept=(409,))

    def import_errors(self) -> list[str]:
        """What is wrong in DAG files, each message with the file's name."""
        return [
            f"{e['filename']}: {e['stack_trace'].strip()}" for e in self._pages("importErrors", "import_errors", {})
        ]

    def unpause(self, dag_id: str) -> None:
        """Let runs of the DAG begin, if there is such a DAG."""
        self._send("PATCH", f"dags/{dag_id}", accept=(404,), json={"is_paused": False})

    def trigger(self, run: RunId, conf: Mapping[str, Any] | None = None) -> None:
        """Start a run, with some values of its form."""
        body = {"dag_run_id": run.run, "logical_date": None, "conf": dict(conf or {})}
        # A request that was sent twice finds its run already there.
        self._send("POST", f"dags/{run.dag}/dagRuns", accept=(409,), json=body)

    def state(self, run: RunId) -> str:
        """The state of a run: queued, running, success or failed."""
        return str(self._send("GET", run.path).json()["state"])

    def note(self, run: RunId) -> str | None:
        """What somebody has written to a run."""
        note: str | None = self._send("GET", run.path).json()["note"]
        return note

    def fail(self, run: RunId, why: str) -> None:
        """Mark a run as failed, which ends its tasks, and note why."""
        self._send("PATCH", run.path, json={"state": "failed", "note": why})

    def under_way(self, dag: str) -> list[RunId]:
        """The runs of a DAG that have not ended, the newest first; of several DAGs if it ends with `*`."""
        return list(self._runs(dag, {"state": _UNDER_WAY}))

    def newest(self, dag: str) -> RunId | None:
        """The newest run of a DAG, ended or not; of several DAGs if it ends with `*`."""
        return next(self._runs(dag, {}), None)

    def listed(self, dag: str) -> Iterator[DagRun]:
        """The runs of a DAG, the newest first, as many as are taken; of several DAGs if it ends with `*`."""
        for item in self._run_items(dag, {}):
            run = RunId(item["dag_id"], item["dag_run_id"])
            yield DagRun(run, item["state"], item["start_date"], item["end_date"], item["note"])

    def named(self, run_id: str) -> list[RunId]:
        """The runs of this id; each DAG may have one."""
        return [run for run in self._runs("*", {"run_id_prefix_pattern": run_id}) if run.run == run_id]

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

    def _runs(self, dag: str, parameters: dict[str, Any]) -> Iterator[RunId]:
        for item in self._run_items(dag, parameters):
            yield RunId(item["dag_id"], item["dag_run_id"])

    def _run_items(self, dag: str, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Runs, the newest first; the address of all DAGs, since that of one that does not exist is an error."""
        prefix = dag.removesuffix("*")
        wanted = parameters | {"dag_id_prefix_pattern": prefix, "order_by": "-run_after"}
        for item in self._pages("dags/~/dagRuns", "dag_runs", wanted):
            if item["dag_id"] == dag or (prefix != dag and item["dag_id"].startswith(prefix)):
                yield item

    def _pages(self, path: str, key: str, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        offset, total = 0, 1
        while offset < total:
            answer = self._send("GET", path, params=parameters | {"limit": _PAGE, "offset": offset}).json()
            yield from answer[key]
            offset, total = offset + _PAGE, answer["total_entries"]

    def _send(self, method: str, path: str, accept: tuple[int, ...] = (), **arguments: Any) -> httpx.Response:
        def send(timeout: float) -> httpx.Response:
            return self._send_once(method, f"/api/v2/{path}", arguments | {"timeout": timeout})

        answer = self.patience.answer(Server("Airflow", self.url), send, self.say)
        if answer.is_success or answer.status_code in accept:
            return answer
        raise StackError(f"Airflow refused {method} {path}: HTTP {answer.status_code}, {answer.text[:500]}")

    def _send_once(self, method: str, path: str, arguments: dict[str, Any]) -> httpx.Response:
        answer = self._http.request(method, path, **arguments) if "Authorization" in self._http.headers else None
        if answer is not None and answer.status_code != 401:
            return answer
        log_in = self._log_in(arguments["timeout"])
        return self._http.request(method, path, **arguments) if log_in.is_success else log_in

    def _log_in(self, timeout: float) -> httpx.Response:
        body = {"username": ADMIN, "password": self._password}
        answer = self._http.post("/auth/token", json=body, timeout=timeout)
        if answer.status_code in (400, 401, 403, 422):
            raise StackError(f"Airflow at {self.url} refused the log-in of {ADMIN}: HTTP {answer.status_code}")
        if answer.is_success:
            self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer
