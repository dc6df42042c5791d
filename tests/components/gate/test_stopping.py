"""When an evaluation may end: the interim analyses, and that what stops it is what the gate then says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from litegate.gate.contrasts import Design
from litegate.gate.stopping import decided, interim_analyses
from litegate.gate.verdicts import Measured, judge
from litegate.outcomes.columns import Outcomes
from litegate.records import Stopping
from litegate.spec import Gate
from litegate.spec.metric_facts import built_in_facts

TOP1 = built_in_facts("top1")


@pytest.mark.parametrize(
    ("first", "total", "planned"),
    [
        (500, 4000, [500, 1000, 2000, 4000]),
        (500, 500, [500]),
        (500, 300, [300]),
        (500, 700, [700]),
        (500, 760, [500, 760]),
        (1000, 10_000, [1000, 2000, 4000, 10_000]),
    ],
)
def test_the_interim_analyses_double_and_end_with_all(first: int, total: int, planned: list[int]) -> None:
    assert interim_analyses(first, total) == planned


def pair(samples: int, lost: int, gained: int) -> tuple[Outcomes, Outcomes]:
    scores = np.ones((2, samples), bool)
    scores[1, :lost] = False
    scores[0, lost : lost + gained] = False
    rows = np.arange(samples)
    return tuple(Outcomes(rows, rows.astype("S"), each) for each in scores)


@pytest.mark.parametrize("first_samples", [None, 500])
@pytest.mark.parametrize(
    ("samples", "lost", "gained", "done"), [(256, 0, 0, False), (2000, 10, 10, True), (2000, 400, 0, True)]
)
def test_it_ends_when_this_variant_is_decided_whatever_the_others_do(
    first_samples: int | None, samples: int, lost: int, gained: int, done: bool
) -> None:
    policy = Gate(max_drop=0.02)
    baseline, candidate = pair(samples, lost, gained)
    stopping = Stopping(policy=policy, variants=7, first_samples=first_samples)
    assert decided(stopping, TOP1, candidate, {"baseline": baseline}, 3) is done
    if done:
        design = Design("sequential") if first_samples is None else Design("interim", 3)
        measured = [Measured(f"v{n}", None, candidate, {"baseline": baseline}, design) for n in range(7)]
        states = {each.state for each in judge(policy, TOP1, measured)}
        assert states == {"failed" if lost == 400 else "passed"}, "the gate says what ended the evaluation"


def test_more_variants_side_by_side_need_more_samples() -> None:
    baseline, candidate = pair(700, 4, 4)
    alone, among = (Stopping(policy=Gate(max_drop=0.02), variants=n, first_samples=None) for n in (1, 100))
    assert decided(alone, TOP1, candidate, {"baseline": baseline}, 1)
    assert not decided(among, TOP1, candidate, {"baseline": baseline}, 1)


def test_a_class_that_has_hardly_been_seen_yet_is_open_and_not_exempt() -> None:
    label = np.zeros(2000, int)
    label[:5] = 1
    rows = np.arange(2000)
    same = Outcomes(rows, rows.astype("S"), np.ones(2000, bool), label=label, prediction=label)
    policy = Gate(max_drop=0.05, max_class_drop=0.05)
    stopping = Stopping(policy=policy, variants=1, first_samples=None)
    rare, common = {0: 19_000, 1: 40}, {0: 19_000, 1: 80}
    assert decided(stopping, TOP1, same, {"baseline": same}, 1, rare), "too few to be judged by itself, ever"
    assert not decided(stopping, TOP1, same, {"baseline": same}, 1, common)
    assert not decided(stopping, TOP1, same, {"baseline": same}, 1, common | {2: 60}), "not seen at all"


@pytest.mark.parametrize("first", [None, 500])
def test_a_class_that_is_never_predicted_any_more_decides(first: int | None) -> None:
    label = np.zeros(500, int)
    label[:10] = 1
    rows = np.arange(500)
    baseline, candidate = (
        Outcomes(rows, rows.astype("S"), each == label, label=label, prediction=each) for each in (label, 0 * label)
    )
    stopping = Stopping(policy=Gate(max_drop=0.02), variants=1, first_samples=first)
    by_score = [replace(each, label=None, prediction=None) for each in (baseline, candidate)]
    assert not decided(stopping, TOP1, by_score[1], {"baseline": by_score[0]}, 3), "the mean is just at its limit"
    assert decided(stopping, TOP1, candidate, {"baseline": baseline}, 3)


def classes_seen(label: list[int], baseline: list[int], candidate: list[int]) -> tuple[Outcomes, Outcomes]:
    """Few samples of other classes after 2,000 of class 0, which both always predict."""
    labels, first, second = (np.array([0] * 2000 + each) for each in (label, baseline, candidate))
    rows = np.arange(len(labels))
    return tuple(
        Outcomes(rows, rows.astype("S"), each == labels, label=labels, prediction=each) for each in (first, second)
    )


@pytest.mark.parametrize("first", [None, 500])
@pytest.mark.parametrize(
    ("says", "label", "baseline", "candidate", "to_be_had", "ended"),
    [
        ("not seen yet", [], [], [], 40, False),
        ("seen once, and missed", [1], [1], [0], 40, False),
        ("seen, and predicted", [1], [1], [1], 40, True),
        ("lost", [1, 1, 1], [1, 1, 1], [0, 0, 0], 40, True),
        ("too rare to tell, ever", [1], [1], [0], 2, True),
        ("not predicted by float32 either", [1, 1, 1], [0, 0, 0], [0, 0, 0], 40, True),
    ],
)
def test_nothing_passes_early_before_every_class_that_can_be_judged_was_seen(
    says: str,
    label: list[int],
    baseline: list[int],
    candidate: list[int],
    to_be_had: int,
    ended: bool,
    first: int | None,
) -> None:
    before, after = classes_seen(label, baseline, candidate)
    stopping = Stopping(policy=Gate(max_drop=0.02), variants=1, first_samples=first)
    assert decided(stopping, TOP1, after, {"baseline": before}, 3, {0: 19_000, 1: to_be_had}) == ended, says
