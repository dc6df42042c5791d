"""What follows from a requalification, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from litegate.records import ActRequest, RegisteredAlias, Requalification
from litegate.requalification import action_of, reason_of


@dataclass(frozen=True)
class Case:
    says: str
    action: str
    state: Literal["passed", "failed", "inconclusive"] = "passed"
    broken: bool = False
    drifted: bool = False
    on_failure: Literal["alert", "rollback"] = "alert"
    on_drift: Literal["record", "alert", "rollback"] = "record"
    reason: str = "verdict"


CASES = [
    Case("all is well", "none"),
    Case("undecided is recorded", "record", "inconclusive", on_failure="rollback"),
    Case("a broken limit alerts", "alert", "failed", True),
    Case("a broken limit rolls back", "rollback", "failed", True, on_failure="rollback"),
    Case("a measurement that is not sound only alerts", "alert", "failed", False, on_failure="rollback"),
    Case("drift is recorded", "record", drifted=True, reason="drift"),
    Case("drift alerts", "alert", drifted=True, on_drift="alert", reason="drift"),
    Case("drift rolls back", "rollback", drifted=True, on_drift="rollback", reason="drift"),
    Case("no drift does nothing", "none", on_drift="rollback"),
    Case("the stronger counts", "rollback", "failed", True, True, "alert", "rollback", "verdict; drift"),
    Case("whichever it is", "rollback", "failed", True, True, "rollback", "record", "verdict; drift"),
    Case("drift while undecided", "alert", "inconclusive", False, True, "rollback", "alert", "verdict; drift"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_the_strongest_of_what_the_spec_asks_for_is_done(case: Case) -> None:
    found = Requalification(
        number=1,
        version=2,
        variant="int8",
        state=case.state,
        broken=case.broken,
        drifted=case.drifted,
        sentence="verdict",
        drift="drift",
        experiment_id="1",
        mlflow_run_id="r",
    )
    request = ActRequest(
        channel=RegisteredAlias(registry="m"),
        requalification=found,
        on_failure=case.on_failure,
        on_drift=case.on_drift,
        actor="a test",
        run_key="k",
    )
    assert action_of(request) == case.action
    assert reason_of(request) == case.reason
