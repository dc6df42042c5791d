"""The evaluate step on real models: every kind of metric and target, and evaluations that end early."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate import records
from litegate.datasets.sampling import in_random_order
from litegate.errors import StepFailed
from litegate.evaluation.blocks import cumulative_counts
from litegate.evaluation.order import ends_of_groups
from litegate.execution.step_run import BadStepInput
from litegate.gate.stopping import interim_analyses
from litegate.outcomes.columns import Unpaired, match
from litegate.spec import Gate

pytestmark = pytest.mark.e2e

Make = Callable[..., Any]

METRICS = """
import numpy as np

class Margin:
    higher_is_better, range, per_sample, classifies = True, (-1, 1), True, True
    def score(self, outputs, labels):
        (output,) = outputs.values()
        own = np.take_along_axis(output, labels[:, np.newaxis], axis=1)[:, 0]
        others = np.where(np.arange(output.shape[1]) == labels[:, np.newaxis], -np.inf, output)
        return own - others.max(axis=1)

class Worst:
    higher_is_better, range, per_sample = False, (0, float("inf")), False
    def value(self, output, target):
        return np.abs(output - target).max()

class Wide(Worst):
    def keep(self, outputs, labels):
        (output,) = outputs.values()
        return np.abs(output - labels).max(axis=1)

class Narrow(Margin):
    range = (0, 0.5)

class OneNumber(Margin):
    def score(self, outputs, labels):
        return np.mean(super().score(outputs, labels))

class Raises(Margin):
    def score(self, outputs, labels):
        raise ValueError("boom")

class NoDirection:
    range, per_sample = (0, 1), True

class Reversed(Margin):
    range = (1, 0)
"""


@pytest.fixture
def quarters(pipeline: Make, models: Path) -> Make:
    """A pipeline for the classifier of quarters with another metric."""
    (models / "my_metrics.py").write_text(METRICS)
    return lambda metric, **gate: pipeline("keras3.keras").but(evaluation={"metric": metric}, gate=gate)


def waves(pipeline: Make, metric: str) -> Any:
    return pipeline("denoiser.keras", "waves_train.npz", "waves.npz").but(evaluation={"metric": metric})


def masks(pipeline: Make, metric: str) -> Any:
    return pipeline("segmenter.keras", "masks_train.npz", "masks.npz").but(evaluation={"metric": metric})


def test_outcomes_name_every_sample_with_its_label_and_prediction(pipeline: Make, models: Path) -> None:
    steps = pipeline("keras3.keras")
    evaluated = steps.evaluate(steps.convert().artifact)
    outcomes = steps.outcomes(evaluated)
    with np.load(models / "test.npz") as arrays:
        label = arrays["label"]
    assert outcomes.index.tolist() == list(range(600))
    assert outcomes.id.tolist() == [str(index).encode() for index in range(600)]
    assert outcomes.label.tolist() == label.tolist()
    assert outcomes.score.dtype == bool
    assert outcomes.score.tolist() == (outcomes.label == outcomes.prediction).tolist()
    assert outcomes.output is outcomes.target is None
    assert (evaluated.samples, evaluated.available, evaluated.design, evaluated.analyses) == (600, 600, "fixed", 1)
    assert (evaluated.metric.name, evaluated.classes, evaluated.references) == ("top1", (), ())


def test_a_preprocess_that_reads_another_file_than_before_makes_no_pairs(pipeline: Make, models: Path) -> None:
    offset = models / "offset.txt"
    (models / "reads_a_file.py").write_text(
        "import pathlib\n\n"
        "def shifted(features, label):\n"
        "    return features, (label + int(pathlib.Path(__file__).with_name('offset.txt').read_text())) % 4\n"
    )
    steps = pipeline("keras3.keras", preprocess="reads_a_file:shifted")
    offset.write_text("0")
    before = steps.outcomes(steps.evaluate(steps.convert().artifact))
    offset.write_text("1")
    after = steps.outcomes(steps.evaluate(steps.quantize("dynamic_range")))
    assert before.id.tolist() == after.id.tolist()
    with pytest.raises(Unpaired, match="600 of 600 samples, such as '0', had other inputs or another label"):
        match(before, after)


def test_top_k_is_never_worse_with_a_larger_k(quarters: Make) -> None:
    values = [quarters(f"top{k}").evaluated_score() for k in (1, 2, 4)]
    assert values == sorted(values)
    assert values[-1] == 1.0
    with pytest.raises(BadStepInput, match="at most top4 for a model with 4 classes, got top5"):
        quarters("top5").evaluated_score()


@pytest.mark.parametrize(
    ("metric", "low", "high"), [("mae", 0.01, 0.2), ("mse", 0.001, 0.06), ("cosine_similarity", 0.97, 1.0)]
)
def test_targets_may_be_vectors(pipeline: Make, metric: str, low: float, high: float) -> None:
    steps = waves(pipeline, metric)
    outcomes = steps.outcomes(steps.evaluate(steps.quantize("int8")))
    assert low < outcomes.score.mean() < high
    assert outcomes.score.dtype == np.float64
    assert outcomes.label is outcomes.prediction is None


def test_a_regression_keeps_one_error_of_each_sample_for_rmse(pipeline: Make) -> None:
    steps = waves(pipeline, "rmse")
    outcomes = steps.outcomes(steps.evaluate(steps.convert().artifact))
    assert outcomes.score is None
    assert outcomes.output.shape == outcomes.target.shape == (600,)
    squared = waves(pipeline, "mse")
    assert np.mean(outcomes.output**2) == pytest.approx(squared.evaluated_score())


def test_targets_may_be_masks(pipeline: Make) -> None:
    steps = masks(pipeline, "iou")
    assert steps.evaluated_score() > 0.7
    assert steps.score(steps.evaluate(steps.quantize("int8"))) > 0.7


def test_labels_that_do_not_fit_the_metric_are_refused(pipeline: Make, quarters: Make) -> None:
    for steps, message in [
        (quarters("mae"), r"labels of the output's shape \(batch, 4\), got \(batch\) integers: classes\?"),
        (
            waves(pipeline, "top1"),
            r"integers of shape \(samples,\) as labels for top1, .*, got targets: float32 of shape \(samples, 16\)",
        ),
        (waves(pipeline, "iou"), "masks of whole numbers from 0 to 1, or -1 where nothing counts, for iou"),
    ]:
        with pytest.raises(BadStepInput, match=message):
            steps.evaluated_score()


def test_a_set_metric_keeps_what_its_value_needs(quarters: Make) -> None:
    steps = quarters("roc_auc")
    outcomes = steps.outcomes(steps.evaluate(steps.convert().artifact))
    assert outcomes.score is None
    assert outcomes.output.shape == (600, 4)
    assert outcomes.target.tolist() == outcomes.label.tolist()


def test_a_users_metric_is_measured(quarters: Make) -> None:
    steps = quarters("my_metrics:Margin", max_drop=1.5)
    facts = steps.resolve().metric
    assert (facts.low, facts.high, facts.per_sample, facts.higher_is_better) == (-1.0, 1.0, True, True)
    evaluated = steps.evaluate(steps.convert().artifact)
    outcomes = steps.outcomes(evaluated)
    assert evaluated.metric == facts
    assert np.array_equal(outcomes.score > 0, outcomes.label == outcomes.prediction)


def test_a_users_set_metric_keeps_the_output_or_what_it_says(pipeline: Make, quarters: Make) -> None:
    shapes = {}
    for name in ("Worst", "Wide"):
        steps = waves(pipeline, f"my_metrics:{name}")
        outcomes = steps.outcomes(steps.evaluate(steps.convert().artifact))
        shapes[name] = (outcomes.output.shape, outcomes.target.shape)
    assert shapes == {"Worst": ((600, 16), (600, 16)), "Wide": ((600,), (600, 16))}


def test_a_users_metric_that_declares_no_classes_has_no_predictions(
    pipeline: Make, models: Path, quarters: Make
) -> None:
    with np.load(models / "test.npz") as arrays:
        np.savez(models / "ages.npz", image=arrays["image"], label=arrays["label"] + 20)
    (models / "ages.py").write_text(
        "class Age:\n    higher_is_better, range, per_sample = False, (0, 100), True\n"
        "    def score(self, outputs, labels):\n        return abs(outputs['output_0'].argmax(axis=1) + 20 - labels)\n"
    )
    steps = pipeline("keras3.keras", evaluation="ages.npz").but(evaluation={"metric": "ages:Age"})
    outcomes = steps.outcomes(steps.evaluate(steps.convert().artifact))
    assert outcomes.label is outcomes.prediction is None
    assert outcomes.score.mean() < 0.2


BAD_METRICS = [
    ("absent:Metric", r"evaluation\.metric: expected the module absent, beside the spec"),
    ("my_metrics:Absent", r"evaluation\.metric: expected a class Absent in .*my_metrics\.py.*, got no such name"),
    ("my_metrics:NoDirection", r"evaluation\.metric: expected higher_is_better = True or False"),
    ("my_metrics:Reversed", r"evaluation\.metric: expected range = \(low, high\) .* got \(1, 0\)"),
    ("my_metrics:Narrow", r"evaluation\.metric: expected values from 0 to 0\.5, as my_metrics:Narrow declares"),
    ("my_metrics:OneNumber", r"evaluation\.metric: expected scores of shape \(\d+,\) .* got \(\)"),
    ("my_metrics:Raises", r"evaluation\.metric: expected an array from score .* got ValueError: boom"),
]


@pytest.mark.parametrize(("metric", "message"), BAD_METRICS)
def test_a_users_metric_that_cannot_be_used_is_bad_input(quarters: Make, metric: str, message: str) -> None:
    with pytest.raises(BadStepInput, match=message):
        quarters(metric).evaluated_score()


def test_a_gate_that_does_not_fit_the_users_metric_is_refused_before_anything_runs(quarters: Make) -> None:
    with pytest.raises(BadStepInput, match=r"gate\.max_drop: expected at most 2 for my_metrics:Margin.*, got 3"):
        quarters("my_metrics:Margin", max_drop=3).resolve()


def stopping(first_samples: int | None, max_drop: float = 0.1) -> records.Stopping:
    return records.Stopping(policy=Gate(max_drop=max_drop), variants=1, first_samples=first_samples)


@pytest.fixture
def early(pipeline: Make) -> Any:
    """The quarters' classifier with its int8 variant and the baseline that it is compared with."""
    steps = pipeline("keras3.keras")
    steps.baseline = records.Reference(role="baseline", artifact=steps.convert().artifact)
    steps.int8 = steps.quantize("int8")
    return steps


def visited(steps: Any, **changes: Any) -> records.Evaluated:
    return steps.evaluate(steps.int8, references=(steps.baseline,), **changes)


@pytest.mark.parametrize(("first_samples", "design", "planned"), [(None, "sequential", 1), (100, "interim", 4)])
def test_an_evaluation_ends_when_its_verdict_is_decided(
    early: Any, caplog: pytest.LogCaptureFixture, first_samples: int | None, design: str, planned: int
) -> None:
    caplog.set_level("INFO", "litegate")
    evaluated = visited(early, stopping=stopping(first_samples, 0.5))
    counts = cumulative_counts(stopping(first_samples), 600)
    assert (evaluated.design, evaluated.analyses, evaluated.available) == (design, planned, 600)
    assert evaluated.samples == counts[0]
    assert f"evaluate int8: decided after {counts[0]} of 600 samples" in caplog.text


def test_what_an_undecided_evaluation_saw_are_all_samples(early: Any) -> None:
    evaluated = visited(early, stopping=stopping(None, 1e-4))
    assert (evaluated.samples, evaluated.available) == (600, 600)
    assert sorted(early.outcomes(evaluated).index) == list(range(600))


def test_samples_are_visited_in_the_seeds_order_up_to_the_cap(early: Any) -> None:
    ids = [str(index) for index in range(600)]
    for seed in (17, 18):
        evaluated = visited(early, stopping=stopping(None, 1e-4), seed=seed, max_samples=300)
        assert early.outcomes(evaluated).index.tolist() == in_random_order(ids, 300, seed).tolist()
        assert evaluated.available == 300


def test_references_see_the_very_samples_that_the_variant_saw(early: Any) -> None:
    champion = early.baseline.model_copy(update={"role": "champion"})
    evaluated = early.evaluate(early.int8, references=(early.baseline, champion), stopping=stopping(None))
    assert {found.role for found in evaluated.references} == {"baseline", "champion"}
    alone = early.outcomes(early.evaluate(early.baseline.artifact))
    for found in evaluated.references:
        outcomes = early.outcomes(found)
        assert found.artifact_digest == early.baseline.artifact.file.digest
        assert outcomes.index.tolist() == early.outcomes(evaluated).index.tolist()
        assert outcomes.score.tolist() == alone.score[outcomes.index].tolist()


@pytest.fixture
def grouped(pipeline: Make, models: Path) -> Any:
    """The same on data that names groups of five, but one of two hundred."""
    with np.load(models / "test.npz") as arrays:
        video = np.array([f"v{max(place // 5, 40)}" for place in range(len(arrays["label"]))])
        np.savez(models / "videos.npz", **arrays, video=video)
    steps = pipeline("keras3.keras", evaluation="videos.npz").but(evaluation={"group": "video"})
    steps.baseline = records.Reference(role="baseline", artifact=steps.convert().artifact)
    steps.int8 = steps.quantize("int8")
    return steps


def test_outcomes_name_the_group_of_every_sample(grouped: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "litegate")
    evaluated = grouped.evaluate(grouped.int8)
    outcomes = grouped.outcomes(evaluated)
    assert [name.decode() for name in outcomes.group] == [f"v{max(place // 5, 40)}" for place in outcomes.index]
    assert (evaluated.samples, evaluated.clusters, evaluated.largest_group) == (600, 80, 205)
    assert "on 600 samples in 80 clusters" in caplog.text


@pytest.mark.parametrize("first_samples", [None, 100])
def test_an_evaluation_that_may_end_early_visits_whole_groups(grouped: Any, first_samples: int | None) -> None:
    evaluated = visited(grouped, stopping=stopping(first_samples, 1e-4))
    groups = grouped.outcomes(evaluated).group.tolist()
    first_of_each = [place for place in range(len(groups)) if groups[place] not in groups[:place]]
    assert groups == [
        groups[place]
        for place, end in zip(first_of_each, [*first_of_each[1:], 600], strict=True)
        for _ in range(end - place)
    ]
    assert (evaluated.samples, evaluated.largest_group) == (600, 205)
    early = visited(grouped, stopping=stopping(first_samples, 0.9))
    seen = grouped.outcomes(early).group.tolist()
    assert seen == groups[: early.samples]
    assert early.samples in [*first_of_each, 600]


def test_outcomes_and_counts_name_the_slices(pipeline: Make, models: Path) -> None:
    """In the order of the fields' names, whatever that of the spec: records are written with sorted keys."""
    with np.load(models / "test.npz") as arrays:
        rows = np.arange(len(arrays["label"]))
        np.savez(models / "sites.npz", **arrays, site=rows % 2, lighting=np.array(["day", "night", "dusk"])[rows % 3])
    steps = pipeline("keras3.keras", evaluation="sites.npz").but(
        evaluation={"slices": ["site", "lighting"]}, gate={"max_slice_drop": 0.1}
    )
    evaluated = steps.evaluate(steps.convert().artifact)
    assert evaluated.slice_samples == {
        "site": {"0": 300, "1": 300},
        "lighting": {"day": 200, "dusk": 200, "night": 200},
    }
    outcomes = steps.outcomes(evaluated)
    lightings = [(b"day", b"night", b"dusk")[place % 3] for place in outcomes.index]
    assert outcomes.slices[:, 0].tolist() == lightings
    assert outcomes.slices[:, 1].tolist() == [str(place % 2).encode() for place in outcomes.index]
    assert outcomes.take(np.array([4])).slices.tolist() == [[lightings[4], str(outcomes.index[4] % 2).encode()]]


def test_a_reference_of_another_shape_is_refused(early: Any, pipeline: Make) -> None:
    other = waves(pipeline, "mae").convert().artifact
    champion = records.Reference(role="champion", artifact=other)
    with pytest.raises(StepFailed, match=r"champion: expected the candidate's inputs and outputs, image float32"):
        early.evaluate(early.int8, references=(champion,))


def test_outcomes_do_not_depend_on_the_number_of_processes(pipeline: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = waves(pipeline, "mae")
    artifact = steps.convert().artifact
    several = steps.outcomes(steps.evaluate(artifact))
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        evaluated = steps.evaluate(artifact, max_samples=700)  # no cap, but another key: nothing is found
    finally:
        os.sched_setaffinity(0, cores)
    alone = steps.outcomes(evaluated)
    assert np.array_equal(alone.index, several.index)
    assert np.array_equal(alone.score, several.score)


CRASHES = """
import os, time
from pathlib import Path

def dies(features, label):
    os._exit(3)

def one_fails(features, label):
    folder = Path(os.environ["TMPDIR"])
    try:
        (folder / "failed").touch(exist_ok=False)
    except FileExistsError:
        time.sleep(0.02)
        print("seen", flush=True)
        (folder / "seen").touch()
        return features, label
    while not (folder / "seen").exists():
        time.sleep(0.01)
    raise ValueError("the first")
"""


def test_a_process_that_dies_is_a_crash_of_the_step(pipeline: Make, models: Path) -> None:
    (models / "crashes.py").write_text(CRASHES)
    steps = pipeline("keras3.keras", preprocess="crashes:dies")
    with pytest.raises(StepFailed, match=r"\(crash\): a process that read the data died"):
        steps.evaluate(steps.convert().artifact)


def test_the_failure_of_one_process_ends_the_others(
    pipeline: Make, models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "litegate")
    (models / "crashes.py").write_text(CRASHES)
    steps = pipeline("keras3.keras", preprocess="crashes:one_fails")
    with pytest.raises(BadStepInput, match="ValueError: the first"):
        steps.evaluate(steps.convert().artifact)
    assert 0 < caplog.messages.count("seen") < 200


@pytest.mark.parametrize(
    ("first", "available", "counts"),
    [
        (None, 100, [100]),
        (None, 600, [256, 512, 600]),
        (None, 2000, [256, 512, 768, 1024, 1280, 1600, 2000]),
        (100, 600, interim_analyses(100, 600)),
    ],
)
def test_blocks_grow_with_what_was_seen(first: int | None, available: int, counts: list[int]) -> None:
    assert cumulative_counts(stopping(first), available) == counts
    assert cumulative_counts(None, available) == [available]


def test_no_block_ends_within_a_group_and_a_planned_look_has_groups_enough() -> None:
    groups = np.repeat(np.arange(90), 10)
    ends = ends_of_groups(groups)
    assert cumulative_counts(stopping(None), 900, ends) == [260, 520, 770, 900]
    assert cumulative_counts(stopping(100), 900, ends) == [300, 600, 900], (
        "30 groups are the fewest that prove anything"
    )
    one_large = ends_of_groups(np.repeat([0, 1, 2], [2, 700, 198]))
    assert cumulative_counts(stopping(None), 900, one_large) == [702, 900]
    assert ends_of_groups(None) is None


def test_copies_of_a_sample_are_one_cluster(pipeline: Make, models: Path) -> None:
    pytest.importorskip("litegate.evaluation.fed", reason="nothing says what was fed")
    with np.load(models / "test.npz") as arrays:
        places = np.arange(600) % 100
        np.savez(models / "copies.npz", **{name: array[places] for name, array in arrays.items()})
    steps = pipeline("keras3.keras", evaluation="copies.npz")
    evaluated = steps.evaluate(steps.convert().artifact)
    assert (evaluated.samples, evaluated.clusters, evaluated.largest_group) == (600, 100, 1)
    early = steps.evaluate(
        steps.quantize("int8"),
        references=(records.Reference(role="baseline", artifact=steps.convert().artifact),),
        stopping=stopping(None, 0.03),
    )
    assert (early.samples, early.clusters) == (600, 100), "a hundred samples prove no limit of three points"
