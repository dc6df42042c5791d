"""The gate as a table: every way in which it must not promote, and the ones in which it may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from litegate.gate.contrasts import Design
from litegate.gate.sentences import sentence
from litegate.gate.verdicts import Measured, judge
from litegate.outcomes.columns import Outcomes
from litegate.records import Reason, Verdict
from litegate.spec import Gate
from litegate.spec.metric_facts import MetricFacts, built_in_facts

TOP1, MAE, AUC = (built_in_facts(name) for name in ("top1", "mae", "roc_auc"))
ONE_POINT = Gate(max_drop=0.01)


def outcomes(scores: Sequence[float] | np.ndarray, index: Sequence[int] | None = None, **columns: object) -> Outcomes:
    scores = np.asarray(scores)
    rows = np.arange(len(scores)) if index is None else np.array(index)
    return Outcomes(rows, rows.astype("S"), scores, **columns)


def right(scores: Sequence[int] | np.ndarray, index: Sequence[int] | None = None) -> Outcomes:
    return outcomes(np.asarray(scores, bool), index)


def fed(digests: str) -> Outcomes:
    """A right answer for each sample, and a digest of one letter of what it was fed."""
    return outcomes(np.ones(len(digests), bool), fed=np.array(list(digests), "S16"))


def paired(samples: int, lost: int, gained: int) -> tuple[Outcomes, Outcomes]:
    before, after = np.ones(samples, bool), np.ones(samples, bool)
    after[:lost] = False
    before[lost : lost + gained] = False
    return right(before), right(after)


def verdict(
    policy: Gate,
    baseline: Outcomes | None,
    candidate: Outcomes | None,
    metric: MetricFacts = TOP1,
    champion: Outcomes | None = None,
    **keys: object,
) -> Verdict:
    given = {"baseline": baseline, "champion": champion}
    references = {role: each for role, each in given.items() if each is not None}
    refusals = keys.pop("refusals", ())
    return judge(policy, metric, [Measured("int8", "d" * 64, candidate, references, refusals=refusals)], **keys)[0]


@dataclass(frozen=True)
class Row:
    name: str
    samples: int
    lost: int
    gained: int
    state: str
    code: str
    policy: Gate = field(default=ONE_POINT)


RELATIVE = Gate(max_drop=0.01, drop="relative")
ROWS = [
    Row("all pairs equal, many", 1000, 0, 0, "passed", "within_max_drop"),
    Row("all pairs equal, too few to know", 100, 0, 0, "inconclusive", "undecided_max_drop"),
    Row("one sample, equal", 1, 0, 0, "inconclusive", "undecided_max_drop"),
    Row("one sample, lost", 1, 1, 0, "inconclusive", "undecided_max_drop"),
    Row("all pairs flipped to wrong", 100, 100, 0, "failed", "above_max_drop"),
    Row("all pairs flipped to right", 100, 0, 100, "failed", "implausible_gain"),
    Row("the perfect ResNet-8 of the facts", 10_000, 193, 187, "passed", "within_max_drop"),
    Row("the same rates on a tenth", 1_000, 19, 19, "inconclusive", "undecided_max_drop"),
    Row("exactly at the limit", 10_000, 200, 100, "inconclusive", "undecided_max_drop"),
    Row("clearly above the limit", 10_000, 400, 100, "failed", "above_max_drop"),
    Row("a plausible gain", 10_000, 100, 150, "passed", "within_max_drop"),
    Row("nothing may be lost, nothing was", 10_000, 0, 0, "inconclusive", "undecided_max_drop", Gate(max_drop=0.0)),
    Row("nothing may be lost, much was gained", 10_000, 0, 100, "passed", "within_max_drop", Gate(max_drop=0.0)),
    Row("everything may be lost", 100, 100, 0, "inconclusive", "undecided_max_drop", Gate(max_drop=1.0)),
    Row("relative, all pairs equal", 1000, 0, 0, "passed", "within_max_drop", RELATIVE),
    Row("relative, clearly above", 10_000, 400, 100, "failed", "above_max_drop", RELATIVE),
    Row("relative, exactly at the limit", 10_000, 200, 101, "inconclusive", "undecided_max_drop", RELATIVE),
    Row("weak baseline", 1000, 0, 300, "failed", "implausible_gain", Gate(min_value=0.5)),
    Row("baseline clearly too weak", 1000, 0, 5, "failed", "above_min_value", Gate(min_value=1.0, max_drop=0.1)),
    Row("baseline good enough", 1000, 0, 5, "passed", "within_min_value", Gate(min_value=0.9)),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_verdict_follows_the_paired_evidence(row: Row) -> None:
    found = verdict(row.policy, *paired(row.samples, row.lost, row.gained))
    assert found.state == row.state, found
    assert row.code in [reason.code for reason in found.reasons], found
    assert found.drop == pytest.approx((row.lost - row.gained) / row.samples)
    assert found.drop_low <= found.drop <= found.drop_high
    assert (found.lost, found.gained) == (row.lost, row.gained)
    assert found.value == pytest.approx((row.samples - row.lost) / row.samples)


@pytest.mark.parametrize(
    ("baseline", "candidate", "code"),
    [
        (None, right([1]), "not_measured"),
        (right([1]), None, "not_measured"),
        (None, None, "not_measured"),
        (right([]), right([]), "no_samples"),
        (right([1, 1]), right([]), "no_samples"),
        (right([1, 1]), right([1, 1], [0, 2]), "unpaired"),
        (right([1, 1]), right([1, 1], [0, 0]), "unpaired"),
        (right([1, 1], [3, 3]), right([1], [3]), "unpaired"),
        (fed("aabb"), fed("aabc"), "unpaired"),
        (fed("aabb"), right([1, 1, 1, 1]), "unpaired"),
        (right([1, 1, 1, 1]), fed("aabb"), "unpaired"),
        (outcomes([1.0, 1.0]), outcomes([1.0, np.nan]), "not_finite"),
        (outcomes([np.inf, 1.0]), outcomes([1.0, 1.0]), "not_finite"),
    ],
)
def test_what_was_not_measured_or_cannot_be_paired_fails(
    baseline: Outcomes | None, candidate: Outcomes | None, code: str
) -> None:
    found = verdict(Gate(), baseline, candidate)
    assert (found.state, found.reasons[-1].code) == ("failed", code)
    assert found.drop is None


def test_samples_with_other_identities_are_not_the_same_samples() -> None:
    baseline, candidate = paired(1000, 0, 0)
    renamed = Outcomes(candidate.index, np.array([f"other-{row}" for row in range(1000)], "S"), candidate.score)
    found = verdict(Gate(), baseline, renamed)
    assert (found.state, found.reasons[-1].code) == ("failed", "unpaired")
    assert "'0' and 'other-0'" in found.reasons[-1].message


def test_a_fact_against_the_variant_outweighs_a_perfect_score() -> None:
    refusal = Reason(code="wrong_target", message="gpu cannot run int8")
    found = verdict(Gate(), *paired(10_000, 0, 0), refusals=(refusal,))
    assert found.state == "failed"
    assert found.reasons[0] == refusal
    assert found.drop == 0.0, "what was measured is still recorded"


def test_a_variant_that_saw_fewer_samples_is_paired_on_those() -> None:
    found = verdict(Gate(), right([1, 0, 1, 0]), right([0, 1], [2, 3]))
    assert (found.samples, found.lost, found.gained, found.value, found.baseline) == (2, 1, 1, 0.5, 0.5)


def test_a_relative_drop_from_a_baseline_of_zero_is_refused_and_an_absolute_one_is_not() -> None:
    nothing = right(np.zeros(1000))
    assert verdict(RELATIVE, nothing, nothing).reasons[-1].code == "zero_baseline"
    assert verdict(ONE_POINT, nothing, nothing).state == "passed"
    flawless = outcomes(np.zeros(1000))
    assert verdict(RELATIVE, flawless, flawless, MAE).reasons[-1].code == "zero_baseline"
    assert verdict(ONE_POINT, flawless, flawless, MAE).state == "passed"


@pytest.mark.parametrize(
    ("more_error", "state"), [(0.0, "passed"), (0.004, "passed"), (0.02, "failed"), (0.01, "inconclusive")]
)
def test_where_lower_is_better_a_larger_error_is_a_loss(more_error: float, state: str) -> None:
    errors = np.random.default_rng(0).gamma(2.0, 0.1, 2000)
    wiggle = np.tile([0.001, -0.001], 1000)
    found = verdict(ONE_POINT, outcomes(errors), outcomes(errors + wiggle + more_error), MAE)
    assert found.state == state
    assert found.drop == pytest.approx(more_error, abs=1e-9)


def test_a_halved_error_is_implausible() -> None:
    errors = np.full(100, 1.0)
    assert verdict(ONE_POINT, outcomes(errors), outcomes(errors * 0.3), MAE).reasons[0].code == "implausible_gain"


def test_few_samples_of_an_unbounded_metric_prove_nothing() -> None:
    same = outcomes(np.full(29, 0.5))
    found = verdict(Gate(max_drop=100.0), same, same, MAE)
    assert (found.state, found.drop_high) == ("inconclusive", None)


def scored(samples: int, noise: float, drop: float = 0.0) -> tuple[Outcomes, Outcomes]:
    generator = np.random.default_rng(5)
    target = generator.integers(0, 2, samples)
    output = target * (1.5 - drop) + generator.normal(size=samples)
    rows = np.arange(samples)
    other = output + generator.normal(scale=noise, size=samples)
    return tuple(Outcomes(rows, rows.astype("S"), output=each, target=target) for each in (output, other))


def auc(output: np.ndarray, target: np.ndarray) -> float:
    return float(roc_auc_score(target, output))


@pytest.mark.parametrize(("noise", "state"), [(0.05, "passed"), (1.0, "failed")])
def test_a_metric_of_a_whole_set_is_judged_by_the_paired_bootstrap(noise: float, state: str) -> None:
    baseline, candidate = scored(3000, noise)
    found = verdict(ONE_POINT, baseline, candidate, AUC, value=auc)
    assert found.state == state
    assert found.value == pytest.approx(auc(candidate.output, candidate.target))
    assert found.baseline == pytest.approx(auc(baseline.output, baseline.target))


def test_a_set_on_which_the_metric_has_no_value_fails() -> None:
    rows = np.arange(100)
    one_class = Outcomes(rows, rows.astype("S"), output=np.linspace(0, 1, 100), target=np.ones(100, int))

    def picky(output: np.ndarray, target: np.ndarray) -> float:
        if len(set(target)) < 2:
            raise ValueError("only one class")
        return auc(output, target)

    found = verdict(ONE_POINT, one_class, one_class, AUC, value=picky)
    assert (found.state, found.reasons[-1].code) == ("failed", "no_value")


def classified(label: np.ndarray, baseline: np.ndarray, candidate: np.ndarray) -> tuple[Outcomes, Outcomes]:
    rows = np.arange(len(label))
    return tuple(
        Outcomes(rows, rows.astype("S"), prediction == label, label=label, prediction=prediction)
        for prediction in (baseline, candidate)
    )


def ten_classes(lost_of_class_3: int) -> tuple[Outcomes, Outcomes]:
    label = np.repeat(np.arange(10), 500)
    candidate = label.copy()
    candidate[np.flatnonzero(label == 3)[:lost_of_class_3]] = 4
    return classified(label, label, candidate)


@pytest.mark.parametrize(("lost", "state"), [(0, "passed"), (5, "passed"), (25, "inconclusive"), (100, "failed")])
def test_the_worst_class_decides_although_the_mean_is_fine(lost: int, state: str) -> None:
    policy = Gate(max_drop=0.05, max_class_drop=0.05)
    found = verdict(policy, *ten_classes(lost), names=tuple("abcdefghij"))
    assert found.state == state
    clause = next(clause for clause in found.clauses if clause.name == "max_class_drop")
    assert clause.state == state
    if lost:
        assert (clause.subject, clause.samples, clause.estimate) == ("d", 500, lost / 500)


def rare_class(samples: int, lost: int) -> tuple[Outcomes, Outcomes]:
    """Of a class of so many samples beside 5,000 others, so many are lost."""
    label = np.array([0] * 5000 + [1] * samples)
    candidate = label.copy()
    candidate[5000 : 5000 + lost] = 0
    return classified(label, label, candidate)


def test_a_rare_class_need_not_be_proved_to_keep_its_limit_and_no_common_class_proves_nothing() -> None:
    pair = rare_class(10, 1)
    found = verdict(Gate(max_drop=0.05, max_class_drop=0.05), *pair, names=("common", "rare"))
    assert found.state == "passed"
    assert [(each.name, each.samples, each.predicted) for each in found.rare] == [("rare", 10, 10)]
    few = Gate(max_drop=0.05, max_class_drop=0.05, min_class_samples=6000)
    found = verdict(few, *pair)
    assert (found.state, found.needed) == ("inconclusive", None)
    unlabelled = paired(1000, 0, 0)
    assert verdict(Gate(max_class_drop=0.05), *unlabelled).state == "inconclusive"


def test_a_loss_that_is_proved_fails_however_rare_the_class_is() -> None:
    found = verdict(Gate(max_drop=0.05, max_class_drop=0.05), *rare_class(40, 20), names=("common", "rare"))
    clause = next(clause for clause in found.clauses if clause.name == "max_class_drop")
    assert (found.state, clause.state, clause.subject, clause.samples) == ("failed", "failed", "rare", 40)


@pytest.mark.parametrize("design", [Design(), Design("interim", 3), Design("sequential")], ids=lambda each: each.kind)
@pytest.mark.parametrize("asked", [{}, {"max_class_drop": 0.05}, {"max_prediction_shift": None}], ids=str)
def test_a_variant_that_never_predicts_a_class_fails_whatever_is_asked(design: Design, asked: dict[str, float]) -> None:
    baseline, candidate = rare_class(49, 49)
    measured = Measured("int8", "d" * 64, candidate, {"baseline": baseline}, design)
    found = judge(Gate(max_drop=0.02, **asked), TOP1, [measured], names=("common", "rare"))[0]
    assert (found.state, "lost_class") == ("failed", next(r.code for r in found.reasons if r.code == "lost_class"))
    said = "it never predicts rare (49 of 5,049 samples), which float32 predicts"
    assert said in [reason.message for reason in found.reasons]


def test_a_variant_that_may_yet_be_made_counts_as_one_that_was_measured() -> None:
    alone, beside = (verdict(Gate(max_drop=0.05), *rare_class(500, 500), untried=untried) for untried in (0, 1))
    assert (alone.confidence, beside.confidence) == (0.95, 0.975)
    assert beside.p_value == alone.p_value


def test_too_few_predictions_to_tell_a_lost_class_from_chance_are_named() -> None:
    found = verdict(Gate(max_drop=0.05), *rare_class(2, 2), names=("common", "rare"))
    assert (found.state, found.rare_classes, found.rare[0].name) == ("passed", 1, "rare")
    two, three = (verdict(Gate(max_drop=0.05), *rare_class(samples, samples)).state for samples in (2, 3))
    assert (two, three) == ("passed", "failed"), "4^-3 is below 5 % of two classes, 4^-2 is not"


def test_copies_of_one_sample_do_not_show_that_a_class_is_lost() -> None:
    pair = [replace(each, fed=np.array([*map(str, range(5000)), *["same"] * 49], "S16")) for each in rare_class(49, 49)]
    found = verdict(Gate(max_drop=0.05), *pair, names=("common", "rare"))
    assert "lost_class" not in [reason.code for reason in found.reasons]
    assert [each.name for each in found.rare] == ["rare"]


@pytest.mark.parametrize("to_be_had", [{}, {1: 500, 2: 500, 3: 500, 4: 500}], ids=["unknown", "of the data"])
def test_a_class_counts_by_the_label_that_preprocess_gave_it(to_be_had: dict[int, int]) -> None:
    label = np.repeat(np.arange(4), 500)  # the data have 1 to 4
    baseline, candidate = classified(label, label, np.where(np.arange(2000) < 250, 1, label))
    measured = Measured("int8", None, candidate, {"baseline": baseline}, available=2000, class_samples=to_be_had)
    found = judge(Gate(max_drop=0.5, max_class_drop=0.05), TOP1, [measured])[0]
    clause = next(clause for clause in found.clauses if clause.name == "max_class_drop")
    assert (clause.state, clause.subject, clause.samples) == ("failed", "0", 500)
    assert found.rare == ()


def test_rare_are_classes_that_nobody_predicts_too_but_none_that_failed_and_last_those_that_the_data_lack() -> None:
    label = np.repeat([0, 1, 2, 3, 4], [5000, 2, 3, 40, 9])
    baseline = np.where(label == 1, 0, label)
    baseline[:1] = 7  # no sample has this label
    candidate = np.where((label == 3) & (np.arange(len(label)) % 2 == 0) | (label == 4), 0, baseline)
    found = verdict(Gate(max_drop=0.05, max_class_drop=0.05), *classified(label, baseline, candidate))
    assert {reason.code for reason in found.reasons} >= {"lost_class", "above_max_class_drop"}
    assert next(each.subject for each in found.clauses if each.name == "max_class_drop") == "3"
    listed = [(each.name, each.samples, each.predicted) for each in found.rare]
    assert listed == [("1", 2, 0), ("2", 3, 3), ("7", 0, 1)], "3 and 4 were judged"


def test_the_sentence_of_what_passed_ends_with_the_classes_it_says_nothing_about() -> None:
    policy, names = Gate(max_drop=0.05), ("common", "rare")
    found = verdict(policy, *rare_class(2, 1), names=names)
    said = "too rare to be judged by themselves: rare (2 samples, 2 predicted by float32)"
    assert sentence(found, TOP1, policy).endswith(f", with 95 % confidence; {said}")
    failed = verdict(policy, *rare_class(2, 1), names=names, refusals=(Reason(code="wrong_target", message="so"),))
    assert (failed.too_rare(3), said in sentence(failed, TOP1, policy)) == (said, False)


def test_among_a_thousand_rare_classes_those_that_flip_by_chance_are_not_blamed() -> None:
    generator = np.random.default_rng(5)
    label = np.repeat(np.arange(1000), 10)
    baseline = np.where(generator.random(10_000) < 0.3, generator.integers(0, 1000, 10_000), label)
    states = set()
    for _ in range(20):
        flipped = generator.random(10_000) < 0.05
        candidate = np.where(flipped, generator.integers(0, 1000, 10_000), baseline)
        found = verdict(Gate(max_drop=0.1), *classified(label, baseline, candidate))
        states |= {found.state, *(reason.code for reason in found.reasons)}
    assert "lost_class" not in states


def test_predictions_that_shrink_count_as_much_as_those_that_grow() -> None:
    label = np.repeat(np.arange(4), 1000)
    candidate = label.copy()
    candidate[:900] = np.tile([1, 2, 3], 300)  # no other class grows by more than 7.5 points
    policy = Gate(max_drop=0.5, max_prediction_shift=0.1)
    found = verdict(policy, *classified(label, label, candidate), names=tuple("abcd"))
    clause = next(clause for clause in found.clauses if clause.name == "max_prediction_shift")
    assert (found.state, clause.state, clause.subject) == ("failed", "failed", "a")
    assert clause.estimate == pytest.approx(0.225)
    assert clause.low > 0.2
    unlabelled = paired(1000, 0, 0)
    assert verdict(Gate(max_class_drop=0.05), *unlabelled).state == "inconclusive"


def test_one_class_that_swallows_the_predictions_fails_whatever_the_metric_says() -> None:
    generator = np.random.default_rng(2)
    label, baseline = (generator.integers(0, 4, 4000) for _ in range(2))
    candidate = np.where(generator.random(4000) < 0.5, 0, baseline)
    found = verdict(Gate(max_drop=0.2), *classified(label, baseline, candidate))
    assert found.state == "failed"
    assert [clause.name for clause in found.clauses if clause.state == "failed"] == ["max_prediction_shift"]
    assert verdict(Gate(max_drop=0.2, max_prediction_shift=None), *classified(label, baseline, candidate)).state == (
        "passed"
    )


def test_the_champion_of_today_is_a_second_baseline() -> None:
    policy = Gate(max_drop=0.05, max_drop_from_champion=0.01)
    baseline, candidate = paired(5000, 150, 0)
    champion = right(np.ones(5000))
    assert verdict(Gate(max_drop=0.05), baseline, candidate).state == "passed"
    found = verdict(policy, baseline, candidate, champion=champion)
    assert found.state == "failed"
    assert found.reasons[-1].code == "above_max_drop_from_champion"
    assert verdict(policy, baseline, candidate, champion=candidate).state == "passed"
    assert verdict(policy, baseline, candidate).state == "passed", "there is no champion yet"


@pytest.mark.parametrize("role", ["baseline", "champion"])
def test_pairs_that_were_fed_other_values_name_the_file_that_was(role: str) -> None:
    references = {"baseline": fed("abcd"), "champion": fed("abcd")} | {role: fed("abxd")}
    measured = Measured("int8", "d" * 64, fed("abcd"), references)
    found = judge(Gate(max_drop_from_champion=0.01), TOP1, [measured])[0]
    assert (found.state, found.reasons[-1].code) == ("failed", "unpaired")
    said = f"its outcomes make no pairs with those of the {role}: 1 of 4 samples, such as '2', had other inputs"
    assert found.reasons[-1].message.startswith(said)


def side_by_side(pairs: Sequence[tuple[int, int]], policy: Gate = ONE_POINT) -> list[Verdict]:
    measured = []
    for place, (lost, gained) in enumerate(pairs):
        baseline, candidate = paired(2000, lost, gained)
        measured.append(Measured(f"v{place}", None, candidate, {"baseline": baseline}))
    return list(judge(policy, TOP1, measured))


def test_judged_side_by_side_each_must_prove_more() -> None:
    alone, among = side_by_side([(34, 28)])[0], side_by_side([(34, 28)] * 8)
    assert alone.state == "passed"
    assert {each.state for each in among} == {"inconclusive"}
    assert among[0].confidence == pytest.approx(1 - 0.05 / 8)
    assert among[0].drop_high > alone.drop_high
    assert among[0].p_value == alone.p_value, "the p-value is the variant's own"


def test_what_is_proved_leaves_more_for_the_others() -> None:
    found = side_by_side([(2, 2)] * 7 + [(34, 28)])
    assert {each.state for each in found} == {"passed"}, "Holm, not Bonferroni"
    assert found[-1].confidence == pytest.approx(0.95)


def test_a_variant_that_is_ruled_out_by_facts_takes_nothing_from_the_others() -> None:
    baseline, candidate = paired(2000, 34, 28)
    refused = (Reason(code="too_large", message="too large"),)
    measured = [Measured("a", None, candidate, {"baseline": baseline})]
    measured += [Measured(f"v{n}", None, candidate, {"baseline": baseline}, refusals=refused) for n in range(7)]
    assert [each.state for each in judge(ONE_POINT, TOP1, measured)] == ["passed", *["failed"] * 7]


def test_an_undecided_verdict_says_how_many_samples_would_decide_it() -> None:
    found = verdict(ONE_POINT, *paired(1000, 19, 19))
    assert (found.state, found.needed) == ("inconclusive", 1188)
    assert "about 1,190 samples would decide it" in found.reasons[-1].message
    assert verdict(ONE_POINT, *paired(1188, 22, 22)).state == "passed"
    assert verdict(ONE_POINT, *paired(1000, 20, 10)).needed is None, "no number decides a drop that equals the limit"


@pytest.mark.parametrize("design", [Design("interim", 3), Design("sequential")])
def test_looking_more_than_once_costs_certainty(design: Design) -> None:
    baseline, candidate = paired(1200, 22, 22)
    once, often = (
        judge(ONE_POINT, TOP1, [Measured("a", None, candidate, {"baseline": baseline}, each)])[0]
        for each in (Design(), design)
    )
    assert (once.state, often.state) == ("passed", "inconclusive")
    assert often.drop_high > once.drop_high
    assert often.needed > 1200
