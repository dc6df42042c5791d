"""An MLflow that asks who is there, and lets its users read what they may not change."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from litegate.diagnosis import kind_of
from litegate.errors import StoreError
from litegate.failures import FailureKind
from litegate.steps import register
from tests import registering
from tests.guarded import GuardedMlflow


@pytest.fixture
def as_user(guarded_mlflow: GuardedMlflow, monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow is reached as this user."""

    def log_in(user: str, **others: str) -> None:
        for name, value in (guarded_mlflow.variables(user) | others).items():
            monkeypatch.setenv(name, value)

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    return log_in


@pytest.fixture
def grant(guarded_mlflow: GuardedMlflow) -> Any:
    """As the administrator does it."""

    def grant(user: str, kind: str, which: str, permission: str) -> None:
        asked = {"username": user, "resource_type": kind, "resource_id": which, "permission": permission}
        requests.post(
            f"{guarded_mlflow.url}/api/3.0/mlflow/users/permissions/grant",
            json=asked,
            auth=("admin", guarded_mlflow.passwords["admin"]),
            verify=str(guarded_mlflow.authority),
            timeout=60,
        ).raise_for_status()

    return grant


@pytest.fixture
def held(guarded_mlflow: GuardedMlflow) -> Any:
    """Reads all that MLflow holds, but for its users."""

    def read() -> dict[str, list[Any]]:
        with closing(sqlite3.connect(f"file:{guarded_mlflow.folder}/mlflow.db?mode=ro", uri=True)) as database:
            tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: sorted(map(repr, database.execute(f'SELECT * FROM "{name}"'))) for name in tables}

    return read


@dataclass(frozen=True)
class Recorded:
    """A run and a version that `litegate` has recorded."""

    toy: Any
    result: Any


@pytest.fixture(scope="module")
def recorded(guarded_mlflow: GuardedMlflow, new_toy: Any) -> Recorded:
    toy = new_toy()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in guarded_mlflow.variables("litegate").items():
            patch.setenv(name, value)
        return Recorded(toy, register.run(toy.request(), toy.work))


def test_a_user_who_may_write_registers_through_tls(recorded: Recorded, as_user: Any) -> None:
    as_user("reader")
    assert recorded.result.outcome == "selected"
    assert MlflowClient().get_model_version(recorded.toy.name, "1").tags["gate.state"] == "passed"


def test_a_user_who_may_only_read_is_told_what_mlflow_says_and_registers_nothing(
    recorded: Recorded, as_user: Any, held: Any
) -> None:
    before = held()
    as_user("reader")
    with pytest.raises(MlflowException, match=r"403.*Permission denied") as found:
        register.run(recorded.toy.request(run_key="quantize/run-2"), recorded.toy.work)
    assert kind_of(found.value) is FailureKind.PYTHON_ERROR, "trying again changes nothing"
    assert held() == before


def test_a_wrong_password_is_told_without_it(recorded: Recorded, as_user: Any, held: Any) -> None:
    before = held()
    as_user("litegate", MLFLOW_TRACKING_PASSWORD="guessed-and-wrong")
    with pytest.raises(MlflowException, match=r"401.*not authenticated") as found:
        register.run(recorded.toy.request(run_key="quantize/run-2"), recorded.toy.work)
    assert "guessed-and-wrong" not in str(found.value)
    assert held() == before


def test_an_authority_that_nobody_knows_is_refused_and_not_tried_again(
    toy: Any, as_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user("litegate")
    monkeypatch.delenv("MLFLOW_TRACKING_SERVER_CERT_PATH")
    with pytest.raises(MlflowException, match="SSLCertVerificationError") as found:
        register.run(toy.request(), toy.work)
    assert kind_of(found.value) is FailureKind.PYTHON_ERROR


def test_a_token_is_a_log_in_too(
    guarded_mlflow: GuardedMlflow, recorded: Recorded, as_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user("robot", MLFLOW_TRACKING_TOKEN=guarded_mlflow.token)
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.delenv(name)
    assert MlflowClient().get_run(recorded.result.mlflow_run_id).info.status == "FINISHED"
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "another-token")
    with pytest.raises(MlflowException, match="401"):
        MlflowClient().get_run(recorded.result.mlflow_run_id)


def test_an_account_that_may_edit_registers_and_deletes_nothing(
    toy: Any, as_user: Any, grant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user("admin")
    admin = MlflowClient()
    experiment = admin.create_experiment(f"quantize/{toy.name}")
    admin.create_registered_model(toy.name)
    grant("robot", "experiment", experiment, "EDIT")
    grant("robot", "registered_model", toy.name, "EDIT")
    as_user("robot")
    result = register.run(toy.request(), toy.work)
    assert result.outcome == "selected"
    client = MlflowClient()
    client.set_registered_model_alias(toy.name, "champion", "1")
    for delete in (
        lambda: client.delete_model_version(toy.name, "1"),
        lambda: client.delete_registered_model(toy.name),
        lambda: client.delete_experiment(experiment),
        lambda: client.delete_run(result.mlflow_run_id),
    ):
        with pytest.raises(MlflowException, match=r"403.*Permission denied"):
            delete()


def test_whoever_may_only_read_moves_no_alias_and_changes_no_tag(recorded: Recorded, as_user: Any) -> None:
    as_user("reader")
    client = MlflowClient()
    for change in (
        lambda: client.set_registered_model_alias(recorded.toy.name, "champion", "1"),
        lambda: client.set_model_version_tag(recorded.toy.name, "1", "gate.state", "passed"),
        lambda: client.set_tag(recorded.result.mlflow_run_id, "verdict", "passed"),
        lambda: client.log_text(recorded.result.mlflow_run_id, "{}", "verdict.json"),
        lambda: client.delete_model_version(recorded.toy.name, "1"),
    ):
        with pytest.raises((MlflowException, requests.HTTPError), match=r"403.*Permission denied"):
            change()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "rebound.example"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
    ],
)
def test_requests_of_other_sites_are_refused(guarded_mlflow: GuardedMlflow, headers: Any, status: int) -> None:
    answer = requests.post(
        f"{guarded_mlflow.url}/api/2.0/mlflow/experiments/search",
        json={"max_results": 1},
        headers=headers,
        auth=("admin", guarded_mlflow.passwords["admin"]),
        verify=str(guarded_mlflow.authority),
        timeout=60,
    )
    assert answer.status_code == status


def test_a_decision_of_whoever_may_only_read_is_refused_at_once(as_user: Any, held: Any) -> None:
    as_user("litegate")
    version = registering.register(MlflowClient(), name := registering.new_name(), "int8")
    registering.accept(MlflowClient(), name, version, "quantize/run-1", "2026-01-01T00:00:00+00:00")
    before = held()
    as_user("reader")
    with pytest.raises(StoreError, match=r"does not let this account write entry 1: .*403.*Permission denied"):
        registering.take(MlflowClient(), name, "frozen", version.version)
    assert held() == before
