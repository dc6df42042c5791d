"""When the flow measures the champion of today, and what follows if it cannot."""

from __future__ import annotations

import pytest

from litegate.errors import StepFailed
from tests.dags.pretended import CRASH, EVERYTHING, Outcome, Run, Steps, artifact


def test_the_champion_of_today_is_measured_for_the_gate(run_flow: Run) -> None:
    outcome = run_flow(Steps(), from_champion="0.01")
    requests = outcome.steps.requests
    assert (requests["fetch_champion", ""].registry, requests["fetch_champion", ""].alias) == ("m", "champion")
    assert requests["evaluate", "champion"].artifact == artifact("champion")
    assert requests["gate", ""].champion.evaluated.variant == "champion"
    assert [item.artifact.variant for item in requests["gate", ""].candidates] == ["dynamic_range", "int8"]
    assert outcome.pull("promote")["champion"]["variant"] == "dynamic_range"


def test_before_the_first_promotion_there_is_no_champion_to_compare_with(run_flow: Run) -> None:
    outcome = run_flow(Steps(promoted_before=False), from_champion="0.01")
    assert ("evaluate", "champion") not in outcome.steps.requests
    assert outcome.steps.requests["gate", ""].champion is None
    assert outcome.state("promote") == "success"


def test_no_champion_is_looked_for_unless_the_policy_compares_with_it(usual_run: Outcome) -> None:
    assert ("fetch_champion", "") not in usual_run.steps.requests
    assert usual_run.steps.requests["gate", ""].champion is None


def test_nothing_is_measured_when_the_champion_cannot_be_fetched(run_flow: Run) -> None:
    outcome = run_flow(
        Steps({("fetch_champion", ""): StepFailed("fetch_champion", "python_error", "gone")}), from_champion="0.01"
    )
    assert outcome.pull("fetch_champion", "failure")["message"] == "gone"
    assert outcome.state("gate") == "failed"
    assert outcome.state("promote") == "upstream_failed"
    assert not {"gate", "evaluate", "quantize"} & {step for step, _ in outcome.steps.requests}


def test_nothing_is_judged_when_the_champion_cannot_be_measured(run_flow: Run) -> None:
    outcome = run_flow(Steps({("evaluate", "champion"): CRASH}), from_champion="0.01")
    assert outcome.pull("evaluate", "failure")["variant"] == "champion"
    assert (outcome.state("gate"), outcome.state("promote")) == ("failed", "upstream_failed")
    assert ("gate", "") not in outcome.steps.requests


@pytest.mark.parametrize("promoted_before", [True, False])
def test_the_champion_is_asked_for_anew_when_everything_is_recalled(run_flow: Run, promoted_before: bool) -> None:
    outcome = run_flow(Steps(known={EVERYTHING}, promoted_before=promoted_before), from_champion="0.01")
    assert outcome.state("fetch_champion") == "success"
    assert outcome.state("evaluate") == "skipped"
    assert ("evaluate", "champion") not in outcome.steps.requests
    assert (("evaluate", "champion") in outcome.steps.looked_up) == promoted_before
    assert (outcome.steps.requests["gate", ""].champion is not None) == promoted_before
    assert outcome.state("promote") == "success"
