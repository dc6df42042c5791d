"""People who answer what a run asks, through Airflow's real API, while the run waits in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

LIMIT = 300
PATIENCE = 120
"""Seconds that a run may go on after the last answer."""


@dataclass
class Person:
    """One who answers the next open question.

    Attributes:
        questions: those that they found.
        refusals: HTTP codes of the answers that Airflow did not take.
    """

    name: str
    chooses: str
    note: str | None = None
    questions: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)

    def answer(self, client: Any) -> bool:
        """Answer, if a question is open; where Airflow cannot take the answer yet, another time."""
        headers = {"Authorization": f"Bearer {_token(self.name)}"}
        listed = client.get("/api/v2/dags/~/dagRuns/~/hitlDetails", params=OPEN, headers=headers)
        for question in listed.json()["hitl_details"] if listed.status_code == 200 else ():
            ti = question["task_instance"]
            path = (
                f"/api/v2/dags/{ti['dag_id']}/dagRuns/{ti['dag_run_id']}/taskInstances/{ti['task_id']}/-1/hitlDetails"
            )
            threading.Event().wait(1)  # `dag.test` still writes the state of the task that asks, over that of an answer
            note = {} if self.note is None else {"params_input": {"note": self.note}}
            answered = client.patch(path, json={"chosen_options": [self.chooses], **note}, headers=headers)
            if answered.status_code in (200, 403):
                self.questions.append(question)
                self.refusals += [answered.status_code] * (answered.status_code != 200)
                return True
        return False


OPEN = {"response_received": False, "state": "awaiting_input"}


@contextmanager
def answering(*people: Person) -> Iterator[None]:
    """Let the people answer, one after the other, each one question."""
    from airflow.api_fastapi.app import create_app
    from starlette.testclient import TestClient

    client = TestClient(create_app("core"), raise_server_exceptions=False)
    done, limit = threading.Event(), time.monotonic() + LIMIT

    def work() -> None:
        for person in people:
            while not person.answer(client) and not done.wait(0.2):
                if time.monotonic() > limit:
                    _give_up(client, person.name)
                    return
        if people and not done.wait(PATIENCE):
            _give_up(client, people[-1].name)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _give_up(client: Any, name: str) -> None:
    """End the runs, which would otherwise wait for ever."""
    headers = {"Authorization": f"Bearer {_token(name)}"}
    runs = client.get("/api/v2/dags/~/dagRuns", params={"state": "running"}, headers=headers).json()["dag_runs"]
    for run in runs:
        client.patch(
            f"/api/v2/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}", json={"state": "failed"}, headers=headers
        )


def _token(name: str) -> str:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=name, role="admin"))
