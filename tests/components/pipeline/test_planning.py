"""What a run would do: what is there is found, the rest has the time that it took before, and nothing is computed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from litegate.execution import side_by_side
from litegate.pipeline import planning
from litegate.pipeline.local import LocalRun
from litegate.pipeline.planning import Plan, Planned, Planning
from litegate.pipeline.tasks import Job
from litegate.records import ResolveRequest
from litegate.settings import Settings
from litegate.spec import parse_spec


def step(name: str, seconds: float | None, variant: str = "", found: bool = False) -> Planned:
    return Planned(Job(name, variant), found, seconds)


def test_phases_follow_each_other_and_chains_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning.os, "cpu_count", lambda: 2)
    chains = tuple((step("quantize", 3.0, name), step("smoke", 1.0, name)) for name in ("int8", "uint8", "int16x8"))
    plan = Plan((((step("convert", 5.0),),), chains, ((step("gate", None),),)))
    assert plan.seconds == 5.0 + 3 * 4.0 / 2
    assert [str(each.job) for each in plan.without_time] == ["gate"]
    assert len(plan.steps) == len(plan.to_compute) == 8
    assert side_by_side.AT_ONCE >= 2


def test_the_longest_chain_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning.os, "cpu_count", lambda: 4)
    assert Plan((((step("quantize", 9.0),), (step("quantize", 1.0),)),)).seconds == 9.0


def states(plan: Plan) -> dict[str, str]:
    return {str(each.job): "found" if each.found else "compute" for each in plan.steps}


@pytest.mark.e2e
def test_a_plan_finds_what_is_there_and_computes_nothing(models: Path, places: Settings, tmp_path: Path) -> None:
    places = replace(places, workspace=str(tmp_path / "workspace"))  # what other tests have found left no time here

    def request(**evaluation: Any) -> ResolveRequest:
        keys = {
            "model": {"name": "planned", "uri": str(models / "keras3.keras")},
            "calibration": {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 96},
            "evaluation": {"uri": str(models / "test.npz"), "format": "npz"} | evaluation,
            "variants": ["dynamic_range", "int8"],
            "gate": {"max_drop": 0.05},
        }
        return ResolveRequest(spec=parse_spec(keys), folder=str(models))

    before = Planning(request(), places).plan()
    assert {"sample", "calibrate", "quantize/int8", "evaluate/int8", "benchmark", "gate"} <= {
        str(each.job) for each in before.to_compute
    }
    assert before.to_compute == before.without_time, "no run of this model has left a time"
    run = LocalRun(request(), places)
    run.run()
    after = Planning(request(), places).plan()
    assert set(states(after).values()) == {"found"}
    assert len(after.steps) == run.steps - 1, "all but resolve, which is never stored"
    fewer = request(max_samples=300)
    results = sorted(Path(places.workspace, "results").rglob("*.json"))
    plan = Planning(fewer, places).plan()
    kept = sorted(Path(places.workspace, "results").rglob("*.json"))
    missing = {str(each.job): each.seconds for each in plan.to_compute}
    assert kept == results, "nothing was computed"
    assert {"evaluate/float32", "evaluate/int8", "evaluate/dynamic_range", "benchmark", "gate"} <= set(missing)
    assert states(plan)["quantize/int8"] == states(plan)["convert"] == "found"
    assert (missing["evaluate/int8"] or 0) > 0
    assert (missing["gate"] or 0) > 0
    assert plan.seconds > 0
