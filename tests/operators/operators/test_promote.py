"""What ends before anything could be promoted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from litegate.errors import GateRejected
from litegate.records import Change, Overrides
from litegate.spec import parse_spec
from litegate_airflow.operators.promote import PromoteOperator
from tests.operators.operators.test_gate import SPEC
from tests.operators.ui.test_links import result
from tests.operators.wiring import NAMED


def request(ti: Any, overrides: Overrides | None, **gate: Any) -> Any:
    """The request of a run in which nothing was selected."""
    resolved = SimpleNamespace(spec=parse_spec(SPEC | {"gate": gate}), overrides=overrides)
    records: Any = SimpleNamespace(ti=ti, run_result=result, resolved=lambda: resolved)
    return PromoteOperator(upstream=NAMED, task_id="promote").request(records)


@pytest.mark.parametrize("on_reject", ["fail", "skip"])
def test_an_override_run_is_skipped_and_says_what_was_changed(on_reject: str, ti: Any) -> None:
    overrides = Overrides(changes=(Change(key="gate.max_drop", spec=0.01, run=0.5),))
    with pytest.raises(
        AirflowSkipException, match=r"an override run \(gate.max_drop 0.5 \(spec: 0.01\)\): int8 passed"
    ):
        request(ti, overrides, on_reject=on_reject)
    assert ti.pushed("litegate_note").startswith("an override run (gate.max_drop 0.5")


def test_so_is_a_run_that_somebody_did_not_want_promoted(ti: Any) -> None:
    with pytest.raises(AirflowSkipException, match=r"an override run \(by the spec as it is\)"):
        request(ti, Overrides(changes=()))


def test_a_rejected_run_that_is_no_trial_fails(ti: Any) -> None:
    with pytest.raises(GateRejected, match=r"^rejected: nothing passed the gate: int8, uint8 passed$"):
        request(ti, None)
