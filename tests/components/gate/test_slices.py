"""The clause of slices: all must be proved, single ones are blamed by Holm's procedure, and what is unknown is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from litegate.gate.contrasts import Design
from litegate.gate.explain import slices_csv
from litegate.gate.sentences import sentence
from litegate.gate.verdicts import Measured, is_open, judge
from litegate.metrics.loading import load_metric
from litegate.outcomes.columns import Outcomes
from litegate.records import Verdict
from litegate.spec import Gate
from litegate.spec.metric_facts import MetricFacts, built_in_facts
from tests.benchmarks.cases import CASES
from tests.benchmarks.scenes import slice_drop
from tests.benchmarks.simulate import judged

TOP1, MAE, AUC = (built_in_facts(name) for name in ("top1", "mae", "roc_auc"))
POLICY = Gate(max_drop=0.5, max_slice_drop=0.05)
AREA = load_metric("roc_auc").value
SLICE = "max_slice_drop"


@dataclass(frozen=True)
class Part:
    """Samples of one value, of which the variant loses some."""

    samples: int
    lost: int = 0
    gained: int = 0


def pair(parts: Mapping[str, Part], **columns: Any) -> tuple[Outcomes, Outcomes]:
    """What float32 and a variant give on samples of one field."""
    size = sum(part.samples for part in parts.values())
    before, after, at = np.ones(size, bool), np.ones(size, bool), 0
    for part in parts.values():
        after[at : at + part.lost] = False
        before[at + part.lost : at + part.lost + part.gained] = False
        at += part.samples
    values = np.repeat(list(parts), [part.samples for part in parts.values()]).astype("S").reshape(-1, 1)
    index = np.arange(size)
    first, second = (Outcomes(index, index.astype("S"), score, slices=values, **columns) for score in (before, after))
    return first, second


def judge_one(
    found: tuple[Outcomes, Outcomes],
    samples: Mapping[str, Mapping[str, int]],
    policy: Gate = POLICY,
    metric: MetricFacts = TOP1,
    **keys: Any,
) -> Verdict:
    measured = Measured("int8", "d" * 64, found[1], {"baseline": found[0]}, slice_samples=samples)
    (verdict,) = judge(policy, metric, [measured], **keys)
    return verdict.model_copy(update={"sentence": sentence(verdict, metric, policy)})


def counts(parts: Mapping[str, Part]) -> dict[str, dict[str, int]]:
    return {"site": {value: part.samples for value, part in parts.items()}}


def clause(verdict: Verdict) -> Any:
    return next(each for each in verdict.clauses if each.name == SLICE)


GOOD = Part(1000, lost=2, gained=2)


@dataclass(frozen=True)
class Row:
    name: str
    parts: dict[str, Part]
    state: str
    subject: str
    slices: dict[str, str]
    policy: Gate = field(default=POLICY)


ROWS = [
    Row("all within", {"a": GOOD, "b": GOOD}, "passed", "site=a", {"a": "passed", "b": "passed"}),
    Row(
        "one beyond, though the whole is within",
        {"a": GOOD, "b": Part(300, lost=60), "c": GOOD},
        "failed",
        "site=b",
        {"a": "passed", "b": "failed", "c": "passed"},
    ),
    Row(
        "one open", {"a": GOOD, "b": Part(100, lost=4)}, "inconclusive", "site=b", {"a": "passed", "b": "inconclusive"}
    ),
    Row("a rare one is not asked", {"a": GOOD, "b": Part(49)}, "passed", "site=a", {"a": "passed", "b": "rare"}),
    Row("a rare one that is bad", {"a": GOOD, "b": Part(49, 40)}, "failed", "site=b", {"a": "passed", "b": "failed"}),
    Row("nothing but rare ones", {"a": Part(49), "b": Part(49)}, "inconclusive", "site", {"a": "rare", "b": "rare"}),
    Row(
        "the limit of classes where there is none of slices",
        {"a": GOOD, "b": Part(300, lost=60)},
        "failed",
        "site=b",
        {"a": "passed", "b": "failed"},
        Gate(max_drop=0.5, max_class_drop=0.05),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_clause_is_about_every_slice(row: Row) -> None:
    found = judge_one(pair(row.parts), counts(row.parts), row.policy)
    assert (clause(found).state, clause(found).subject) == (row.state, row.subject)
    assert {loss.value_of_field: loss.state for loss in found.slices} == row.slices
    if row.policy is POLICY:
        assert found.state == row.state


def test_a_pass_names_the_slices_that_were_too_rare() -> None:
    parts = {"a": GOOD, "b": Part(49), "c": Part(7)}
    found = judge_one(pair(parts), counts(parts))
    assert found.sentence.endswith("too rare to be judged by themselves: site=c (7 samples), site=b (49 samples)")


def test_the_verdict_names_the_slice_and_its_numbers() -> None:
    parts = {"a": GOOD, "b": Part(300, lost=60)}
    found = judge_one(pair(parts), counts(parts))
    assert found.sentence.startswith("int8 may not ship: it loses at least 16.")
    assert "of top1 on site=b (5.00 allowed)" in found.sentence
    worst = found.slices[0]
    assert (worst.name, worst.samples, worst.baseline, worst.value) == ("site=b", 300, 1.0, 0.8)
    assert worst.drop == pytest.approx(0.2)
    assert slices_csv(found.slices).decode().splitlines()[1].startswith("site,b,failed,300,1.0,0.8,0.2")


def test_columns_belong_to_fields_in_the_order_of_their_names() -> None:
    first, second = pair({"a": GOOD, "b": Part(300, lost=60)})
    lighting = np.full((len(first), 1), b"day")
    found = [replace(each, slices=np.hstack([lighting, each.slices])) for each in (first, second)]
    samples = {"site": {"a": 1000, "b": 300}, "lighting": {"day": 1300}}
    assert clause(judge_one((found[0], found[1]), samples)).subject == "site=b"


def test_a_field_without_a_common_value_says_what_it_needs() -> None:
    parts = {name: Part(30) for name in "abcd"}
    found = judge_one(pair(parts), counts(parts))
    assert "no value of site has the 50 samples (min_class_samples) that it needs for max_slice_drop" in found.sentence


@pytest.mark.parametrize("samples", [{}, {"site": {"a": 1000, "b": 500}}], ids=["no fields", "never seen"])
def test_what_was_asked_for_and_is_not_there_is_open(samples: dict[str, dict[str, int]]) -> None:
    found = judge_one(pair({"a": GOOD}), samples)
    assert (found.state, clause(found).state) == ("inconclusive", "inconclusive")


def test_without_slices_nothing_is_asked() -> None:
    found = judge_one(pair({"a": GOOD}), {}, Gate(max_drop=0.5))
    assert (found.state, found.slices) == ("passed", ())


def test_single_slices_are_blamed_by_holms_procedure() -> None:
    """Alone each of two losses is proved; among twenty slices the smaller one is not."""
    bad = {"a": Part(200, lost=45), "b": Part(200, lost=19)}
    alone = judge_one(pair(bad), counts(bad))
    among = bad | {f"c{number}": Part(200) for number in range(18)}
    states = {loss.value_of_field: loss.state for loss in judge_one(pair(among), counts(among)).slices}
    assert [loss.state for loss in alone.slices] == ["failed", "failed"]
    assert (states["a"], states["b"]) == ("failed", "inconclusive")


def test_a_slice_that_is_one_cluster_proves_nothing() -> None:
    parts = {"a": Part(400), "b": Part(400)}
    group = np.repeat([b"v1", b"v2"], 400)
    assert judge_one(pair(parts, group=group), counts(parts)).state == "inconclusive"


def test_an_error_may_rise_by_no_more_in_any_slice() -> None:
    rng, size = np.random.default_rng(3), 2000
    values = np.where(np.arange(size) < 1000, b"a", b"b").reshape(-1, 1)
    before = rng.exponential(1.0, size)
    after = before + np.where(np.arange(size) < 1000, 0.0, 0.5) + rng.normal(0, 0.01, size)
    index = np.arange(size)
    found = tuple(Outcomes(index, index.astype("S"), score, slices=values) for score in (before, after))
    policy = Gate(max_drop=1.0, max_slice_drop=0.2)
    verdict = judge_one(found, {"site": {"a": 1000, "b": 1000}}, policy, MAE)
    assert verdict.state == "failed"
    assert "its mae on site=b rises by at least 0.4" in verdict.sentence


def scored(labels: np.ndarray, noise: float, slices: np.ndarray) -> Outcomes:
    index, rng = np.arange(len(labels)), np.random.default_rng(8)
    score = labels + noise * rng.normal(size=len(labels))
    output = np.stack([-score, score], axis=1)
    return Outcomes(index, index.astype("S"), output=output, target=labels, slices=slices)


def test_a_metric_of_a_whole_set_is_computed_on_each_slice() -> None:
    labels, values = np.arange(1200) % 2, np.where(np.arange(1200) < 600, b"a", b"b").reshape(-1, 1)
    before = scored(labels, 0.3, values)
    noisy = scored(labels, 3.0, values).output
    after = replace(before, output=np.where(values == b"b", noisy, before.output))
    found = judge_one((before, after), {"site": {"a": 600, "b": 600}}, metric=AUC, value=AREA)
    assert found.state == "failed"
    assert [(loss.name, loss.state) for loss in found.slices] == [("site=b", "failed"), ("site=a", "passed")]
    assert found.slices[0].value == AREA(after.output[600:], labels[600:])


def test_a_slice_on_which_the_metric_has_no_value_fails_and_is_named() -> None:
    labels, values = np.arange(1200) % 2, np.where(np.arange(1200) < 600, b"a", b"b").reshape(-1, 1)
    labels[:600] = 1
    outcomes = scored(labels, 0.3, values)
    found = judge_one((outcomes, outcomes), {"site": {"a": 600, "b": 600}}, metric=AUC, value=AREA)
    assert found.state == "failed"
    assert "site=a: the metric has no value" in found.reasons[0].message


@pytest.mark.parametrize(("seen", "is_open_still"), [({"a": 1000}, False), ({"a": 1000, "b": 200}, True)])
def test_an_evaluation_goes_on_while_a_slice_has_not_been_seen(seen: dict[str, int], is_open_still: bool) -> None:
    first, second = pair({"a": Part(1000)})
    measured = Measured("int8", None, second, {"baseline": first}, Design("interim", 2), slice_samples={"site": seen})
    assert is_open(POLICY, TOP1, measured) is is_open_still


def test_slices_at_the_limit_are_blamed_at_most_as_often_as_stated() -> None:
    """All of ten sites lose just what they may: any that is called beyond the limit is called so by chance."""
    case = next(each for each in CASES if each.policy == SLICE and each.samples == 1_000)
    rng, blamed, draws = np.random.default_rng(5), 0, 200
    for _ in range(draws):
        (variant,) = slice_drop(*[0.05] * 10)(rng, 2_000, False)
        (verdict,) = judged(case, [variant], {}, 0)
        blamed += any(loss.state == "failed" for loss in verdict.slices)
    assert blamed <= binom.isf(1e-3, draws, 0.05)
