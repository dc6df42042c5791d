"""People who answer what a run asks, through Airflow's real API, while the run waits in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

LIMIT = 60


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
        """Answer, if a question is open."""
        headers = {"Authorization": f"Bearer {_token(self.name)}"}
        listed = client.get("/api/v2/dags/~/dagRuns/~/hitlDetails", params=OPEN, headers=headers)
        assert listed.status_code == 200, listed.text
        for question in listed.json()["hitl_details"]:
            ti = question["task_instance"]
            path = (
                f"/api/v2/dags/{ti['dag_id']}/dagRuns/{ti['dag_run_id']}/taskInstances/{ti['task_id']}/-1/hitlDetails"
            )
            said = {"chosen_options": [self.chooses]} | (
                {} if self.note is None else {"params_input": {"note": self.note}}
            )
            answered = client.patch(path, json=said, headers=headers)
            self.questions.append(question)
            if answered.status_code != 200:
                self.refusals.append(answered.status_code)
            return True
        return False


OPEN = {"response_received": False, "state": "awaiting_input"}


@contextmanager
def answering(*people: Person) -> Iterator[None]:
    """Let the people answer, one after the other, each one question."""
    from airflow.api_fastapi.app import create_app
    from starlette.testclient import TestClient

    client = TestClient(create_app("core"))
    leave = threading.Event()

    def work() -> None:
        for person in people:
            deadline = time.monotonic() + LIMIT
            while not person.answer(client) and not leave.wait(0.1):
                assert time.monotonic() < deadline, f"nobody asked {person.name}"

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        leave.set()
        thread.join()


def _token(name: str) -> str:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=name, role="admin"))
