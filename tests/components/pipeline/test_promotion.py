"""What the ledger is asked after a run."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.pipeline.promotion import Asking, approval_request, promote_request
from litegate.records import ApprovalDecision, Champion, Position, Promotion, RunResult, VariantRow
from litegate.spec import Spec, parse_spec

SELECTED = Champion(variant="int8", version=3, digest="d" * 64)
ASKING = Asking("quantize__m/run", "quantize__m/run", "2026-01-02T03:04:05.000000+00:00", 2)


def spec(**keys: Any) -> Spec:
    data = {"uri": "x.npz", "format": "npz"}
    given = {"model": {"name": "m", "uri": "m.keras"}, "calibration": data, "evaluation": data}
    return parse_spec(given | {"registry": {"name": "r", "alias": "live"}} | keys)


@pytest.fixture
def result() -> RunResult:
    rows = tuple(
        VariantRow.model_construct(variant=name, outcome="passed", sentence=f"{name} may ship")
        for name in ("float32", "int8")
    )
    return RunResult.model_construct(variants=rows, selected=SELECTED, mlflow_run_id="r")


@pytest.mark.parametrize(("keys", "approval"), [({}, "none"), ({"approval": "human"}, "human")])
def test_what_was_selected_is_promoted_by_the_specs_alias(
    result: RunResult, keys: dict[str, Any], approval: str
) -> None:
    asked = promote_request(spec(**keys), result, Position(entries=7), ASKING)
    assert (asked.channel.registry, asked.channel.alias, asked.approval) == ("r", "live", approval)
    assert (asked.selected, asked.verdict, asked.mlflow_run_id) == (SELECTED, "int8 may ship", "r")
    assert (asked.begun, asked.actor, asked.run_key, asked.compared_with) == (7, ASKING.actor, ASKING.run_key, 2)


@pytest.mark.parametrize(("action", "expected"), [("accepted", 2), ("rejected", None)])
def test_a_persons_decision_names_them_and_expects_a_champion_only_to_accept(
    result: RunResult, action: Any, expected: int | None
) -> None:
    approval = ApprovalDecision(version=3, action=action, actor="ann", note="", time=ASKING.order, timed_out=False)
    asked = approval_request(spec(), result, Promotion.model_construct(selected=SELECTED), approval, ASKING)
    assert (asked.actor, asked.action, asked.version, asked.variant) == ("ann", action, 3, "int8")
    assert (asked.expected, asked.why, asked.verdict) == (expected, "without a note", "int8 may ship")
    assert asked.key == f"quantize__m/run version 3 {action} {ASKING.order}"
