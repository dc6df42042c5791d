"""The group `recover`: a file that is made only where the one that it begins with did not pass."""

from __future__ import annotations

from tests.dags.pretended import CRASH, EVERYTHING, Run, Steps
from tests.dags.test_graph_lookup_cache import FLOW

RECOVER = "{base: int8}"
MADE = ("quantize", "inspect", "smoke", "evaluate")
LOSES = frozenset({"int8"})


def test_where_its_base_passed_it_is_skipped_and_counted_all_the_same(run_flow: Run) -> None:
    outcome = run_flow(Steps(), recover=RECOVER)
    assert outcome.state("requantize/recovered") == "skipped"
    assert outcome.pull("requantize/recovered")["assess/recovered"]["why"] == "int8 passed"
    assert not {(step, "recovered") for step in MADE} & outcome.steps.requests.keys()
    judged, registered = (outcome.steps.requests[step, ""] for step in ("gate", "register"))
    assert (judged.variants, judged.untried) == (("dynamic_range", "int8"), 1)
    assert [(each.variant, each.needed) for each in registered.assessments] == [("recovered", False)]
    assert outcome.state("benchmark") == outcome.state("promote") == "success"


def test_where_its_base_lost_it_is_made_judged_and_timed_beside_the_others(run_flow: Run) -> None:
    outcome = run_flow(Steps(losing=LOSES | {"dynamic_range"}), recover=RECOVER)
    assert outcome.state("requantize/recovered") == "success"
    requests = outcome.steps.requests
    assert requests["quantize", "recovered"].recover.asked.base == "int8"
    assert requests["quantize", "recovered"].engine == "recovery"
    timed = [item.variant for item in requests["benchmark", ""].files]
    assert timed == ["float32", "dynamic_range", "int8", "recovered"]
    judged = requests["gate", ""]
    assert (judged.variants, judged.untried) == (("dynamic_range", "int8", "recovered"), 0)
    assert outcome.pull("promote")["champion"]["variant"] == "recovered"
    assert requests["register", ""].assessments[0].why == "int8 failed"


def test_one_that_cannot_be_made_is_judged_so_and_stops_nothing(run_flow: Run) -> None:
    steps = Steps({("quantize", "recovered"): CRASH}, losing=LOSES)
    outcome = run_flow(steps, recover=RECOVER)
    assert outcome.state("requantize/recovered") == "failed"
    judged = outcome.steps.requests["gate", ""]
    assert judged.variants == ("dynamic_range", "int8", "recovered")
    assert [(failure.variant, failure.step) for failure in judged.failures] == [("recovered", "quantize")]
    assert outcome.state("benchmark") == "success"
    assert outcome.pull("promote")["champion"]["variant"] == "dynamic_range"


def test_where_nothing_was_measured_there_is_nothing_to_recover(run_flow: Run) -> None:
    outcome = run_flow(Steps({("evaluate", "float32"): CRASH}), recover=RECOVER)
    assert outcome.state("requantize/0") == "upstream_failed"
    states = {"benchmark": "skipped", "gate": "failed", "promote": "upstream_failed"}
    assert {task: outcome.state(task) for task in states} == states


def test_both_answers_are_found_again(run_flow: Run) -> None:
    for losing in (LOSES, frozenset[str]()):
        computed = run_flow(Steps(losing=losing), recover=RECOVER)
        cached = run_flow(Steps(losing=losing, known={EVERYTHING}), recover=RECOVER)
        assert {cached.state(task) for task in FLOW} | {cached.state("requantize/0")} == {"skipped"}
        before, after = (each.steps.requests["gate", ""] for each in (computed, cached))
        assert after == before
        before, after = (each.steps.requests["register", ""].assessments for each in (computed, cached))
        assert after == before != ()


def test_a_recovery_that_is_missing_alone_is_computed(run_flow: Run) -> None:
    names = ("", "float32", "dynamic_range", "int8")
    steps = ("convert", "sample", "lint", "conversion_check", "calibrate", *MADE, "gate")
    known = {(step, name) for step in steps for name in names}
    outcome = run_flow(Steps(losing=LOSES, known=known), recover=RECOVER)
    assert outcome.pull("lookup_cache") == []
    assert outcome.state("requantize/recovered") == "success"
    assert {name for step, name in outcome.steps.requests if step == "quantize"} == {"recovered"}
