"""A person is asked, or nobody answers: through the real scheduler, its API, MLflow and a web hook."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from litegate.stack.airflow_api import AirflowApi, RunId
from tests.receivers import Received, web_hook

pytestmark = pytest.mark.e2e

LIMIT = 1200  # a busy machine is no failure
SECRET = "T0000/B0000/s3cret-part"
EVENTS = ["promoted", "rejected", "waiting", "late"]


class Airflow(AirflowApi):
    """Airflow as the people of its web pages use it."""

    def connect(self, name: str, host: str, password: str) -> None:
        body = {"connection_id": name, "conn_type": "http", "host": host, "password": password}
        self._send("POST", "connections", json=body)

    def newest(self, model: str) -> RunId:
        listed = self._send("GET", f"dags/quantize__{model}/dagRuns", params={"order_by": "-run_after", "limit": 1})
        return RunId(f"quantize__{model}", listed.json()["dag_runs"][0]["dag_run_id"])

    def question(self, run: RunId) -> dict[str, Any]:
        """The run's only open question."""
        listed = self._send("GET", f"{run.path}/hitlDetails", params={"response_received": False}).json()
        (question,) = listed["hitl_details"]
        return dict(question)

    def answer(self, run: RunId, option: str, note: str) -> None:
        """As a person does, who reads first.

        An answer within the second finds Airflow's scheduler before it has heard that the process which asked has
        ended: it takes the one that goes on for one that was lost, and asks again.
        """
        time.sleep(3)
        said = {"chosen_options": [option], "params_input": {"note": note}}
        self._send("PATCH", f"{run.path}/taskInstances/approve/-1/hitlDetails", json=said)

    def clear(self, run: RunId, *tasks: str) -> None:
        body = {"dag_run_id": run.run, "task_ids": tasks, "dry_run": False, "only_failed": False}
        self._send("POST", f"dags/{run.dag}/clearTaskInstances", json=body | {"reset_dag_runs": True})

    def ended(self, run: RunId) -> dict[str, str | None]:
        """The state of the run, of `approve` and of `decide`, once the run has ended."""
        deadline = time.monotonic() + LIMIT
        while (state := self.state(run)) not in ("success", "failed"):
            assert time.monotonic() < deadline, f"{run}: {state}"
            time.sleep(1)
        return {"run": state} | {i.task: i.state for i in self.tasks(run) if i.task in ("approve", "decide")}


@pytest.fixture
def airflow(litegate: Any) -> Iterator[Airflow]:
    status = json.loads(litegate("status", "--json").output)
    with Airflow(status["airflow"], Path(status["password_file"]).read_text()) as client:
        yield client


@pytest.fixture
def mlflow(litegate: Any) -> MlflowClient:
    return MlflowClient(litegate.environment()["MLFLOW_TRACKING_URI"])


@pytest.fixture
def hook() -> Iterator[Received]:
    with web_hook() as received:
        yield received


def spec(models: Path, name: str, variant: str = "dynamic_range", **keys: Any) -> dict[str, Any]:
    return {
        "model": {"name": name, "uri": str(models / "keras3.keras")},
        "calibration": {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 100},
        "evaluation": {"uri": str(models / "test.npz"), "format": "npz"},
        "variants": [variant],
        "gate": {"max_drop": 0.02},
    } | keys


def aliases(mlflow: MlflowClient, name: str) -> dict[str, str]:
    return dict(mlflow.get_registered_model(name).aliases)


def test_a_person_accepts_and_everybody_is_told(
    litegate: Any, airflow: Airflow, mlflow: MlflowClient, models: Path, tmp_path: Path, hook: Received
) -> None:
    airflow.connect("chat", f"http://127.0.0.1:{hook.port}/services", SECRET)
    mail = {"from_email": "a@example.org", "to": "b@example.org", "subject": "s", "html_content": "h"}
    notify = [
        {"events": EVENTS, "notifier": "airflow.providers.smtp.notifications.smtp.SmtpNotifier"}
        | {"arguments": mail | {"smtp_conn_id": "nowhere"}},
        {"events": EVENTS, "notifier": "litegate_airflow.webhook.WebhookNotifier", "arguments": {"conn_id": "chat"}},
    ]
    asking = spec(models, "asked", approval="human", notify=notify, deadline_minutes=0.05)

    ended = litegate.run_spec(tmp_path, **asking)
    assert (ended.code, ended.result["state"]) == (4, "pending_approval"), ended.output
    run = airflow.newest("asked")
    assert f"a person must answer: {airflow.page_of(run)}/tasks/approve/required_actions" in ended.output
    assert aliases(mlflow, "asked") == {"candidate": "1"}
    joined = litegate.run_spec(tmp_path, **asking)
    assert (joined.code, joined.result["run"]) == (4, run.run), "nobody is asked twice"

    question = airflow.question(run)
    assert question["subject"] == "May asked version 1 (dynamic_range) become champion?"
    assert "| dynamic_range | passed |" in question["body"].replace(" &nbsp; |", " |")
    assert "?workflowType=machine_learning)" in question["body"]

    airflow.answer(run, "Approve", "checked on the board")
    assert airflow.ended(run) == {"run": "success", "approve": "success", "decide": "success"}
    assert aliases(mlflow, "asked") == {"champion": "1"}
    assert "admin" in litegate("history", "asked").output
    hook.wait(3)
    assert sorted(hook.events()) == ["late", "promoted", "waiting"]
    assert hook.paths == [f"/services/{SECRET}"] * 3
    promoted = next(body for body in hook.bodies if body["event"] == "promoted")
    assert (promoted["actor"], promoted["version"]) == ("admin", 1)
    assert promoted["sentence"] == "asked@champion version 1 is champion: accepted by admin (checked on the board)"

    airflow.clear(run, "promote", "approve", "decide")
    assert airflow.ended(run) == {"run": "success", "approve": "skipped", "decide": "skipped"}
    again = litegate.run_spec(tmp_path, **asking)
    assert (again.code, again.result["outcome"]) == (0, "promoted"), again.output
    assert hook.events().count("promoted") == hook.events().count("waiting") == 1
    logs = [path for folder in ("logs", "airflow/logs") for path in (litegate.home / folder).rglob("*.log")]
    assert [path for path in logs if "s3cret" in path.read_text(errors="replace")] == []


def test_what_a_person_rejects_is_asked_about_no_more(
    litegate: Any, airflow: Airflow, mlflow: MlflowClient, models: Path, tmp_path: Path
) -> None:
    refused = spec(models, "refused", approval="human")
    assert litegate.run_spec(tmp_path, **refused).code == 4
    run = airflow.newest("refused")
    airflow.answer(run, "Reject", "too slow")
    assert airflow.ended(run) == {"run": "failed", "approve": "success", "decide": "failed"}
    assert airflow.xcom(run, "decide", "failure")["message"] == "version 1 was rejected by admin: too slow"
    assert aliases(mlflow, "refused") == {}

    again = litegate.run_spec(tmp_path, **refused)
    assert (again.code, again.result["state"]) == (4, "blocked"), again.output
    assert again.result["why"] == "version 1 was rejected by admin (too slow)"
    assert airflow.ended(airflow.newest("refused")) == {"run": "success", "approve": "skipped", "decide": "skipped"}


def test_a_time_out_does_what_the_spec_says(
    litegate: Any, airflow: Airflow, mlflow: MlflowClient, models: Path, tmp_path: Path
) -> None:
    def nobody_answers(on_timeout: str, variant: str = "dynamic_range") -> dict[str, str | None]:
        approval = {"timeout_hours": 0.001, "on_timeout": on_timeout}
        assert litegate.run_spec(tmp_path, **spec(models, "silent", variant, approval=approval)).code == 4
        return airflow.ended(airflow.newest("silent"))

    assert nobody_answers("fail") == {"run": "failed", "approve": "failed", "decide": "upstream_failed"}
    said = airflow.xcom(airflow.newest("silent"), "approve", "failure")["message"]
    assert said.startswith("nobody answered within 0.001 hours; the approval is still pending")
    assert aliases(mlflow, "silent") == {"candidate": "1"}

    assert nobody_answers("promote") == {"run": "success", "approve": "success", "decide": "success"}
    assert aliases(mlflow, "silent") == {"champion": "1"}

    assert nobody_answers("reject", "float16") == {"run": "failed", "approve": "success", "decide": "failed"}
    assert aliases(mlflow, "silent") == {"champion": "1"}
    history = " ".join(litegate("history", "silent").output.split())
    assert "the time-out" in history
