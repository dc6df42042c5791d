"""How host and target differ on one file, and which of quantization and kernels made a variant fail."""

from __future__ import annotations

import numpy as np
import pytest

from litegate.gate.contrasts import Comparison, Design
from litegate.gate.disagreement import BothWays, cause_of, disagreement
from litegate.gate.verdicts import Measured, judge
from litegate.outcomes.columns import Outcomes, Unpaired
from litegate.presentation.disagreements import cause, differs
from litegate.records import Disagreement, Verdict
from litegate.spec import Gate
from litegate.spec.metric_facts import MetricFacts, built_in_facts

SAMPLES = 4000
TOP1 = built_in_facts("top1")
assert isinstance(TOP1, MetricFacts)
ALL = np.arange(SAMPLES)


def outcomes(wrong: int, rows: np.ndarray = ALL, mark: bytes = b"") -> Outcomes:
    """Of a classifier that is wrong on the first samples."""
    right = rows >= wrong
    answer = np.array([b"%d" % value + (mark if value < wrong else b"") for value in rows.tolist()])
    return Outcomes(
        index=rows,
        id=np.char.encode(rows.astype(str)),
        score=right,
        label=np.zeros(len(rows), np.int64),
        prediction=(~right).astype(np.int64),
        answer=answer,
    )


def found(target: Outcomes, host: Outcomes) -> Disagreement:
    return disagreement(BothWays(target, host, "Target", "Host"), TOP1, 0.95)


def verdict(float32: Outcomes, variant: Outcomes, limit: float) -> Verdict:
    (judged,) = judge(Gate(max_drop=limit), TOP1, [Measured("int8", None, variant, {"baseline": float32})])
    return judged


def test_shares_and_the_signed_difference_are_of_the_samples_of_both() -> None:
    rows = ALL[:1000]
    seen = found(outcomes(60, rows, mark=b"x"), outcomes(20, mark=b"x"))
    assert (seen.samples, seen.outputs, seen.classes) == (1000, 0.04, 0.04)
    assert seen.difference == pytest.approx(0.04)
    assert seen.low is not None
    assert seen.high is not None
    assert 0.02 < seen.low < 0.04 < seen.high < 0.06
    assert seen.cause is None


def test_where_they_agree_nothing_differs() -> None:
    seen = found(outcomes(20), outcomes(20))
    assert (seen.outputs, seen.classes, seen.difference) == (0.0, 0.0, 0.0)


def test_samples_that_the_host_has_not_seen_are_no_pairs() -> None:
    with pytest.raises(Unpaired):
        found(outcomes(20), outcomes(20, ALL[:100]))


@pytest.mark.parametrize(
    ("on_host", "limit", "expected", "said"),
    [
        (400, 0.05, "quantization", "the quantization did it: on Host it loses at least"),
        (0, 0.05, "kernels", "the kernels of Target did it: on Host it loses at most"),
        (200, 0.05, "unknown", "is not known: on Host it loses between"),
    ],
)
def test_a_cause_is_only_named_where_the_host_proves_it(on_host: int, limit: float, expected: str, said: str) -> None:
    policy, float32 = Gate(max_drop=limit), outcomes(0)
    judged = verdict(float32, outcomes(400), limit)
    assert judged.state == "failed"
    by_host = Comparison(TOP1, float32, outcomes(on_host), Design())
    seen = cause_of(found(outcomes(400), outcomes(on_host)), judged, by_host, policy)
    assert seen.cause == expected
    assert said in cause(seen, TOP1, policy)


def test_a_variant_that_loses_little_has_no_cause() -> None:
    policy, float32 = Gate(max_drop=0.2), outcomes(0)
    judged = verdict(float32, outcomes(10), 0.2)
    by_host = Comparison(TOP1, float32, outcomes(10), Design())
    seen = cause_of(found(outcomes(10), outcomes(10)), judged, by_host, policy)
    assert (judged.state, seen.cause, cause(seen, TOP1, policy)) == ("passed", None, "")


def test_the_sentence_has_both_names_and_the_interval() -> None:
    said = differs(found(outcomes(60, mark=b"x"), outcomes(20, mark=b"x")), TOP1)
    assert said.startswith("on Target 1 % of 4,000 samples get another class, 1 % another output than on Host; ")
    assert "it loses +1.00 points of top1 there (+0.7" in said
    assert said.endswith("95 %)")


def test_where_lower_is_better_the_target_raises_it() -> None:
    mae = built_in_facts("mae")
    assert isinstance(mae, MetricFacts)
    index = ALL[:200]
    first, second = (
        Outcomes(index, np.char.encode(index.astype(str)), score=np.full(200, value) + np.arange(200) / 1000)
        for value in (0.1, 0.2)
    )
    seen = disagreement(BothWays(second, first, "Target", "Host"), mae, 0.95)
    assert seen.difference == pytest.approx(0.1)
    assert seen.classes is None
    assert "its mae rises by +0.1" in differs(seen, mae)
