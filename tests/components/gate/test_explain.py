"""What a verdict says of samples and classes, and the sentence that people read first."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from litegate.gate.contrasts import Comparison, Design
from litegate.gate.explain import agreement, class_losses, classes_csv, flips, read_classes, sentence
from litegate.outcomes.columns import Outcomes
from litegate.records import ClassLoss, Clause, Reason, Verdict
from litegate.spec import Gate
from litegate.spec.metric_facts import BUILT_IN, MetricFacts

TOP1, MAE, AUC = BUILT_IN["top1"], BUILT_IN["mae"], BUILT_IN["roc_auc"]
LOG_LOSS = MetricFacts(name="my.metrics:LogLoss", higher_is_better=False, high=None, per_sample=False)
NAMES = ("cat", "dog", "=1+1")


def outcomes(samples: int, **columns: object) -> Outcomes:
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    ids = np.array([f"id{row}".encode() for row in range(samples)])
    return Outcomes(**{"index": np.arange(samples) + 10, "id": ids} | arrays)


def classified(labels: list[int], predictions: list[int], per_sample: bool = True) -> Outcomes:
    right = np.equal(labels, predictions)
    kept = {"score": right} if per_sample else {"output": np.zeros(len(labels)), "target": np.zeros(len(labels))}
    return outcomes(len(labels), label=labels, prediction=predictions, **kept)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


LABELS = [0, 0, 1, 1, 2, 2]
BEFORE, AFTER = [0, 1, 1, 0, 2, 2], [1, 0, 1, 2, 1, 2]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (classified(LABELS, BEFORE), classified(LABELS, AFTER), 2 / 6),
        (outcomes(4, score=[0.1, 0.2, 0.3, 0.4]), outcomes(4, score=[0.1, 0.2, 0.0, 0.4]), 0.75),
        (outcomes(2, output=[[1, 2], [3, 4]]), outcomes(2, output=[[1, 2], [3, 5]]), 0.5),
        (outcomes(0, score=[]), outcomes(0, score=[]), None),
    ],
)
def test_agreement_is_of_predictions_or_else_of_scores_or_else_of_outputs(first, second, expected):
    assert agreement(first, second) == expected


def test_right_and_wrong_flip_where_they_differ_the_worst_first_and_ties_by_id():
    found = flips(classified(LABELS, BEFORE), classified(LABELS, AFTER), TOP1, least=1.0)
    assert [(flip.id, flip.label, flip.baseline, flip.value, flip.loss) for flip in found.worst(20)] == [
        ("id0", 0, 1.0, 0.0, 1.0),
        ("id4", 2, 1.0, 0.0, 1.0),
        ("id1", 0, 0.0, 1.0, -1.0),
    ]
    assert len(found) == 3
    assert [flip.id for flip in found.worst(1)] == ["id0"]


@pytest.mark.parametrize("metric", [AUC, LOG_LOSS])
def test_for_a_metric_of_a_whole_set_samples_flip_with_their_prediction_whatever_its_direction(metric):
    found = flips(classified(LABELS, BEFORE, False), classified(LABELS, AFTER, False), metric)
    assert [(flip.id, flip.loss) for flip in found.worst(9)] == [
        ("id0", 1.0),
        ("id4", 1.0),
        ("id3", 0.0),
        ("id1", -1.0),
    ]


def test_without_predictions_a_metric_of_a_whole_set_blames_no_sample():
    first, second = outcomes(2, output=[1.0, 2.0]), outcomes(2, output=[1.0, 9.0])
    found = flips(first, second, BUILT_IN["rmse"])
    assert (len(found), found.worst(5), len(rows_of(found.csv()))) == (0, (), 0)


def test_numbers_flip_where_they_change_by_more_than_is_allowed_and_less_may_be_better():
    first, second = outcomes(4, score=[0.5, 0.5, 0.5, 0.5]), outcomes(4, score=[0.75, 0.25, 0.5625, 0.625])
    assert [(flip.id, flip.loss) for flip in flips(first, second, MAE, 0.125).worst(9)] == [
        ("id0", 0.25),
        ("id1", -0.25),
    ]
    assert [flip.loss for flip in flips(first, second, BUILT_IN["iou"], 0.125).worst(9)] == [0.25, -0.25]


def test_the_csv_survives_any_id_and_starts_no_formula():
    ids = ['a,b"c', "line\nbreak", "=cmd()", "@x", "-1", "+1", "é", "\tx"]
    raw = np.array([id_.encode() for id_ in ids[:-2]] + ["é".encode(), b"\tx\xff"])
    labels, before, after = [0, 1, 2, 0, 0, 0, 0, 0], [0, 1, 2, 0, 0, 0, 0, 9], [1, 0, 0, 2, 1, 1, 1, 0]
    first, second = (
        outcomes(8, id=raw, label=labels, prediction=predicted, score=np.equal(labels, predicted))
        for predicted in (before, after)
    )
    found = flips(first, second, TOP1)
    rows = {row["index"]: row for row in rows_of(found.csv(NAMES))}

    assert [rows[str(10 + place)]["id"] for place in range(8)] == [
        'a,b"c', "line\nbreak", "'=cmd()", "'@x", "'-1", "'+1", "é", "'\tx�",
    ]  # fmt: skip
    assert rows["12"] == {
        "id": "'=cmd()",
        "index": "12",
        "label": "'=1+1",
        "baseline_prediction": "'=1+1",
        "prediction": "cat",
        "baseline_score": "1.0",
        "score": "0.0",
        "loss": "1.0",
    }
    assert (rows["17"]["loss"], rows["17"]["baseline_prediction"]) == ("-1.0", "9")


def test_what_is_not_known_of_a_sample_is_left_empty():
    (row,) = rows_of(flips(outcomes(1, score=[0.5]), outcomes(1, score=[0.75]), MAE).csv())
    assert (row["label"], row["prediction"], row["loss"]) == ("", "", "0.25")


def compared(metric: MetricFacts, lost: dict[int, int], each: int = 500, **keys: object) -> Comparison:
    """Two classifiers, of which the second is wrong on `lost` samples of each label, and the first on none."""
    labels = np.repeat(np.arange(3), each)
    wrong = np.concatenate([np.arange(each) < lost.get(label, 0) for label in range(3)])
    second = np.where(wrong, (labels + 1) % 3, labels)
    pair = (classified(labels.tolist(), prediction.tolist(), metric.per_sample) for prediction in (labels, second))
    return Comparison(metric, *pair, Design(**keys))


@pytest.mark.parametrize(
    ("metric", "design"),
    [(TOP1, {}), (TOP1, {"kind": "interim", "analyses": 3}), (TOP1, {"kind": "sequential"}), (AUC, {}), (LOG_LOSS, {})],
)
def test_classes_come_with_the_largest_loss_first_and_say_whether_it_is_proved(metric, design):
    losses = class_losses(compared(metric, {1: 60, 2: 1}, **design), ("cat", "dog"), 0.95)

    assert [(loss.name, loss.label, loss.samples) for loss in losses] == [
        ("dog", 1, 500),
        ("2", 2, 500),
        ("cat", 0, 500),
    ]
    assert (losses[0].baseline, losses[0].value, losses[0].drop) == (1.0, 0.88, pytest.approx(0.12))
    assert losses[0].low < 0.12 < losses[0].high
    assert [loss.proved for loss in losses] == [True, False, False]


def test_that_a_class_lost_is_proved_for_all_classes_together():
    alone = class_losses(compared(TOP1, {1: 5}), NAMES, 0.95)
    many = class_losses(compared(TOP1, {0: 5, 1: 5, 2: 5}), NAMES, 0.95)
    loose = class_losses(compared(TOP1, {1: 5}), NAMES, 0.85)
    assert [loss.proved for loss in alone] == [False] * 3
    assert loose[0].proved
    assert [loss.drop for loss in many] == [0.01] * 3
    assert [loss.label for loss in many] == [0, 1, 2]


def test_without_labels_no_class_is_named():
    first, second = outcomes(40, score=np.zeros(40)), outcomes(40, score=np.ones(40))
    assert class_losses(Comparison(MAE, first, second, Design()), (), 0.95) == ()


def test_all_classes_are_in_their_csv():
    rows = rows_of(classes_csv(class_losses(compared(TOP1, {1: 60}), NAMES, 0.95)))
    assert [(row["label"], row["name"], row["proved"]) for row in rows] == [
        ("1", "dog", "True"),
        ("0", "cat", "False"),
        ("2", "'=1+1", "False"),
    ]
    assert float(rows[0]["drop"]) == pytest.approx(0.12)


def test_what_is_written_of_classes_is_read_back_whatever_their_names_are():
    names = ("cat", "'=quoted", '=1+1, "x"\r\n', "<b>", "")
    losses = tuple(CAT.model_copy(update={"label": label, "name": name}) for label, name in enumerate(names))
    losses += (CAT.model_copy(update={"label": 9, "name": "9", "low": None, "high": None, "proved": False}),)
    assert read_classes(classes_csv(losses), names) == losses


def clause(name: str = "max_drop", state: str = "failed", low: float | None = 0.021, high: float | None = 0.03, **keys):
    limits = {"name": name, "state": state, "low": low, "high": high}
    return Clause.model_validate(
        {"estimate": 0.025, "limit": 0.01, "p_value": 0.5, "samples": 1000, "subject": ""} | limits | keys
    )


def verdict(state: str, *clauses: Clause, **keys: object) -> Verdict:
    known = {"variant": "int8", "state": state, "clauses": clauses, "confidence": 0.95, "samples": 1000}
    return Verdict.model_validate(known | keys)


CAT = ClassLoss(label=0, name="cat", samples=100, baseline=0.9, value=0.78, drop=0.12, low=0, high=1, proved=True)
COSINE = BUILT_IN["cosine_similarity"]
SHIFTED = clause("max_prediction_shift", low=0.23, limit=0.2, subject="cat")
SENTENCES = [
    (
        "passed",
        TOP1,
        {},
        verdict("passed", clause(state="passed", high=0.0042)),
        "int8 may ship: it loses at most 0.42 points of top1 (1.00 allowed), with 95 % confidence",
    ),
    (
        "failed, and the class that lost most",
        TOP1,
        {},
        verdict("failed", clause("max_class_drop", "inconclusive"), clause(), classes=(CAT,)),
        "int8 may not ship: it loses at least 2.10 points of top1 (1.00 allowed), most of all on cat (12.00 points), "
        "with 95 % confidence",
    ),
    (
        "one of eight: its bounds are stricter, so that the policy's confidence holds for all of them",
        TOP1,
        {},
        verdict("failed", clause(), confidence=1 - 0.05 / 8),
        "int8 may not ship: it loses at least 2.10 points of top1 (1.00 allowed), with 95 % confidence",
    ),
    (
        "inconclusive, with what would decide",
        TOP1,
        {},
        verdict("inconclusive", clause(state="inconclusive", low=-0.002, high=0.014), needed=3200),
        "int8 is undecided: it loses between -0.20 and 1.40 points of top1 (1.00 allowed); "
        "about 3,200 samples would decide it, 1,000 were there",
    ),
    (
        "inconclusive for ever",
        TOP1,
        {},
        verdict("inconclusive", clause(state="inconclusive", low=None, high=None)),
        "int8 is undecided: it loses an unknown amount of top1 (1.00 allowed); "
        "no number of samples would decide it, 1,000 were there",
    ),
    (
        "a bound just beyond the limit does not read as the limit",
        TOP1,
        {},
        verdict("failed", clause(low=0.010004), confidence=None),
        "int8 may not ship: it loses at least 1.0004 points of top1 (1.0000 allowed)",
    ),
    (
        "less is better, in its own unit",
        MAE,
        {},
        verdict("passed", clause(state="passed", high=0.00421)),
        "int8 may ship: its mae rises by at most 0.00421 (0.01 allowed), with 95 % confidence",
    ),
    (
        "a share of the baseline's value",
        MAE,
        {"drop": "relative"},
        verdict("failed", clause()),
        "int8 may not ship: its mae rises by at least 2.10 % (1.00 allowed), with 95 % confidence",
    ),
    (
        "the same where more is better",
        TOP1,
        {"drop": "relative"},
        verdict("failed", clause()),
        "int8 may not ship: it loses at least 2.10 % of the baseline's top1 (1.00 allowed), with 95 % confidence",
    ),
    (
        "a bounded metric that is no share",
        COSINE,
        {},
        verdict("failed", clause()),
        "int8 may not ship: it loses at least 0.021 of cosine_similarity (0.01 allowed), with 95 % confidence",
    ),
    (
        "the user's metric goes by its class",
        LOG_LOSS,
        {},
        verdict("failed", clause(low=12345.0)),
        "int8 may not ship: its LogLoss rises by at least 1.234e+04 (0.01 allowed), with 95 % confidence",
    ),
    (
        "one class",
        TOP1,
        {},
        verdict("failed", clause("max_class_drop", subject="cat", low=0.1), classes=(CAT,)),
        "int8 may not ship: it loses at least 10.00 points of top1 on cat (1.00 allowed), with 95 % confidence",
    ),
    (
        "one class, by a metric that a class has no value of",
        LOG_LOSS,
        {},
        verdict("failed", clause("max_class_drop", subject="cat", low=0.1)),
        "int8 may not ship: it loses at least 10.00 points of correct predictions on cat (1.00 allowed), "
        "with 95 % confidence",
    ),
    (
        "collapse",
        MAE,
        {},
        verdict("failed", SHIFTED),
        "int8 may not ship: the share of cat in its predictions changes by at least 23.00 points (20.00 allowed), "
        "with 95 % confidence",
    ),
    (
        "the champion",
        TOP1,
        {},
        verdict("failed", clause("max_drop", "passed"), clause("max_drop_from_champion"), confidence=None),
        "int8 may not ship: against the champion it loses at least 2.10 points of top1 (1.00 allowed)",
    ),
    (
        "the champion, and less is better",
        MAE,
        {"drop": "relative"},
        verdict("failed", clause("max_drop_from_champion"), confidence=None),
        "int8 may not ship: against the champion its mae rises by at least 0.021 (0.01 allowed)",
    ),
    (
        "a bad baseline",
        TOP1,
        {"min_value": 0.9},
        verdict("failed", clause("min_value", low=0.012, limit=0.0), classes=(CAT,), confidence=None),
        "int8 may not ship: float32 itself is at least 1.20 points below the 90.00 % of top1 asked for",
    ),
    (
        "a bad baseline, and less is better",
        MAE,
        {"min_value": 0.1},
        verdict("failed", clause("min_value", low=0.012, limit=0.0), confidence=None),
        "int8 may not ship: float32 itself is at least 0.012 above the 0.1 of mae asked for",
    ),
    (
        "nothing could be judged",
        TOP1,
        {},
        verdict("inconclusive", clause("max_class_drop", "inconclusive", None, None, samples=0)),
        "int8 is undecided: no sample says anything about max_class_drop",
    ),
    (
        "refused whatever it scored",
        TOP1,
        {},
        verdict(
            "failed",
            clause(state="passed"),
            reasons=(
                Reason(code="too_large", message="131,072 bytes, at most 100,000 allowed"),
                Reason(code="within_max_drop", message="fine"),
            ),
        ),
        "int8 may not ship: 131,072 bytes, at most 100,000 allowed",
    ),
    (
        "never measured",
        TOP1,
        {},
        verdict("failed", reasons=(Reason(code="a", message="quantize failed"), Reason(code="b", message="no file"))),
        "int8 may not ship: quantize failed; no file",
    ),
    ("nothing known", TOP1, {}, verdict("failed"), "int8 may not ship: nothing is known about it"),
    ("the baseline", TOP1, {}, verdict("baseline", value=0.92), "int8 is the baseline: top1 92.00 %"),
    ("the baseline, not measured", MAE, {}, verdict("baseline"), "int8 is the baseline: mae -"),
]


@pytest.mark.parametrize(
    ("metric", "policy", "found", "expected"), [row[1:] for row in SENTENCES], ids=[row[0] for row in SENTENCES]
)
def test_the_sentence_names_what_decided(metric, policy, found, expected):
    assert sentence(found, metric, Gate.model_validate(policy)) == expected
