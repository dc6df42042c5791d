"""What is wrong with data is said by the signatures alone, with no model at hand; sound data pass for every metric."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.errors import DataError, SpecError
from litegate.lint.beforehand import check_data
from litegate.records import DataInUse, DataRef, FileRef, Judged, Signature, TensorSpec
from litegate.spec import Detection
from litegate.spec.metric_facts import BUILT_IN, DECODED, MetricFacts, built_in_facts
from litegate.storage.user_objects import list_entries
from tests.components.datasets.writers import write

Array = np.ndarray[Any, np.dtype[Any]]
SAMPLES = 40
X = np.random.default_rng(0).normal(size=(SAMPLES, 4)).astype(np.float32)
CLASSES = np.arange(SAMPLES) % 3
TWO = CLASSES % 2
MASKS = np.random.default_rng(1).integers(0, 2, (SAMPLES, 5, 5))
BOXES = np.tile(np.float32([[0.0, 0.0, 0.5, 0.5, 1.0]]), (SAMPLES, 2, 1))
EVERYTHING = Judged()
DETECTION = Judged(detection=Detection(boxes="boxes", scores="scores", classes="classes"))
DETECTIONS: dict[str, tuple[int, ...]] = {"boxes": (10, 4), "scores": (10,), "classes": (10,)}


@dataclass
class Files:
    """The files of datasets as a step has them."""

    folder: Path
    said: list[str] = field(default_factory=list)

    def pin(self, path: Path, form: Any = "npz") -> DataRef:
        lines = [entry.model_dump_json() for entry in list_entries(str(path), "DATA")]
        (self.folder / f"{path.name}.jsonl").write_text("\n".join(lines))
        manifest = FileRef(name=f"{path.name}.jsonl", digest="0" * 64, bytes=0)
        return DataRef(uri=str(path), format=form, digest="0" * 64, manifest=manifest)

    def arrays(self, name: str, **arrays: Any) -> DataRef:
        np.savez(self.folder / f"{name}.npz", **arrays)
        return self.pin(self.folder / f"{name}.npz")

    def path(self, ref: FileRef) -> Path:
        return self.folder / ref.name

    def fetch(self, entry: Any, _: str) -> Path:
        return Path(entry.uri)

    def fetch_spans(self, wanted: Any, where: str) -> list[Path]:
        return [self.fetch(entry, where) for entry, _ in wanted]

    def say(self, message: str, *values: object) -> None:
        self.said.append(message % values)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def model(outputs: dict[str, tuple[int, ...]], dtype: str = "float32") -> dict[str, Signature | None]:
    """A model of one input `x` of four numbers."""
    given = {name: TensorSpec(shape=(-1, *shape), dtype=dtype) for name, shape in outputs.items()}
    return {"serving_default": Signature(inputs={"x": TensorSpec(shape=(-1, 4), dtype="float32")}, outputs=given)}


def check(
    files: Files, metric: str | MetricFacts, label: Any, signatures: dict[str, Signature | None], **keys: Any
) -> None:
    facts = metric if isinstance(metric, MetricFacts) else built_in_facts(metric)
    assert facts is not None
    given = {"calibration": files.arrays("calibration", x=X), "samples": 20, "seed": 1, "metric": facts}
    if "evaluation" not in keys:
        given["evaluation"] = files.arrays("evaluation", x=X, label=label)
    check_data(DataInUse.model_validate(given | keys), signatures, files)  # type: ignore[arg-type]


SOUND: dict[str, tuple[Any, dict[str, tuple[int, ...]], Judged]] = {
    "top1": (CLASSES, {"y": (3,)}, EVERYTHING),
    "binary_accuracy": (TWO, {"y": (1,)}, EVERYTHING),
    "roc_auc": (TWO, {"y": ()}, EVERYTHING),
    "average_precision": (CLASSES, {"y": (3,)}, EVERYTHING),
    "macro_f1": (CLASSES, {"y": (3,), "z": (7,)}, Judged(output="y")),
    "mae": (X, {"y": (4,)}, EVERYTHING),
    "mse": (CLASSES, {"y": (1,)}, EVERYTHING),
    "rmse": (X[:, :1], {"y": (1,)}, EVERYTHING),
    "cosine_similarity": (X, {"y": (4, 1)}, EVERYTHING),
    "iou": (MASKS, {"y": (5, 5, 2)}, EVERYTHING),
    "reconstruction_auc": (TWO, {"y": (4,)}, EVERYTHING),
    "map50": (BOXES, DETECTIONS, DETECTION),
    "map50_95": (BOXES, DETECTIONS, DETECTION),
}


def test_every_metric_but_those_of_a_users_decoder_is_asked() -> None:
    assert set(SOUND) == set(BUILT_IN) - DECODED


@pytest.mark.parametrize("metric", SOUND)
def test_sound_data_pass(files: Files, metric: str) -> None:
    label, outputs, judged = SOUND[metric]
    check(files, metric, label, model(outputs), judged=judged)
    assert files.said == [f"convert: looked at {SAMPLES} evaluation samples"]


@dataclass(frozen=True)
class Wrong:
    metric: str
    label: Any
    outputs: dict[str, tuple[int, ...]]
    said: str
    judged: Judged = EVERYTHING


WRONG = [
    Wrong("top1", CLASSES + 1, {"y": (3,)}, r"labels from 0 to 2, got 3 for sample 2 .*numbered from 1"),
    Wrong("top1", np.eye(3)[CLASSES], {"y": (3,)}, r"one-hot\? save label.argmax\(axis=1\)"),
    Wrong("top1", TWO, {"y": (1,)}, "for one score of two classes binary_accuracy or roc_auc or average_precision"),
    Wrong("top1", TWO, {"y": ()}, "for one score of two classes binary_accuracy"),
    Wrong("top5", CLASSES, {"y": (3,)}, "at most top3 for a model with 3 classes, got top5"),
    Wrong("top1", TWO, {"y": (64,)}, "classes: 62 of the model's 64 outputs are no label"),
    Wrong("top1", CLASSES * 0, {"y": (3,)}, "one_class: all 40 labels are 0"),
    Wrong("top1", CLASSES, {"y": (3,), "z": (2,)}, "the one that top1 judges of the outputs y, z"),
    Wrong("top1", CLASSES, {"y": (3,)}, "one of the model's outputs y, got probs", Judged(output="probs")),
    Wrong("binary_accuracy", TWO, {"y": (2,)}, r"an output of shape \(batch,\) or \(batch, 1\)"),
    Wrong("binary_accuracy", CLASSES, {"y": (1,)}, "labels from 0 to 1, got 2"),
    Wrong("mae", CLASSES, {"y": (4,)}, r"labels of the output's shape \(batch, 4\), got \(batch\) integers: classes"),
    Wrong("mse", X[:, :3], {"y": (4,)}, r"labels of the output's shape \(batch, 4\), got \(batch, 3\)"),
    Wrong("iou", MASKS * 255, {"y": (5, 5, 1)}, "masks of whole numbers from 0 to 1, .*for iou.*got 255"),
    Wrong("iou", MASKS + 1, {"y": (5, 5, 2)}, "masks of whole numbers from 0 to 1, .*for iou, got 2"),
    Wrong("iou", MASKS[:, :4], {"y": (5, 5, 2)}, r"masks of the output's shape \(batch, 5, 5, 2\)"),
    Wrong("iou", TWO, {"y": (5, 5, 1)}, "masks of the output's shape"),
    Wrong("reconstruction_auc", TWO, {"y": (9,)}, r"an output of the input's shape \(batch, 4\)"),
    Wrong("map50", BOXES[..., :3], DETECTIONS, "boxes", DETECTION),
    Wrong("mae", np.where(X > 2, np.nan, X), {"y": (4,)}, "label: expected finite numbers, got NaN or infinity"),
]


@pytest.mark.parametrize("row", WRONG, ids=[f"{row.metric}-{number}" for number, row in enumerate(WRONG)])
def test_labels_that_cannot_be_judged_by_are_named(files: Files, row: Wrong) -> None:
    with pytest.raises(DataError, match=row.said):
        check(files, row.metric, row.label, model(row.outputs), judged=row.judged)


def test_what_the_spec_allows_is_left_to_the_lint(files: Files) -> None:
    check(files, "top1", TWO, model({"y": (64,)}), allow=("classes",))


def test_inputs_that_do_not_fit_or_are_not_finite_are_named_with_their_sample(files: Files) -> None:
    outputs, nan = model({"y": (3,)}), X.copy()
    nan[7, 1] = np.inf
    for x, said in (
        (X[:, :3], r"'x' to be shape \(batch, 4\), got \(\d+, 3\)"),
        (X.astype(np.float64), "type float32, got float64"),
        (nan, "finite numbers, got NaN or infinity in sample 7"),
    ):
        broken = files.arrays("broken", x=x, label=CLASSES)
        with pytest.raises(DataError, match=f"evaluation.uri.*{said}"):
            check(files, "top1", None, outputs, evaluation=broken)
        with pytest.raises(DataError, match=f"calibration.uri.*{said}"):
            check(files, "top1", CLASSES, outputs, calibration=broken, samples=SAMPLES)


def test_samples_of_other_sizes_are_named(files: Files, tmp_path: Path) -> None:
    (tmp_path / "ragged").mkdir()
    for name, width in (("a", 4), ("b", 3)):
        write("tfrecord", tmp_path / "ragged" / f"{name}.tfrecord", X[:8, :width], CLASSES[:8])
    with pytest.raises(DataError, match=r"evaluation.uri \(sample .*shape \(batch, 4\), got \(1, 3\)"):
        check(files, "top1", None, model({"y": (3,)}), evaluation=files.pin(tmp_path / "ragged", "tfrecord"))


def test_a_users_metric_is_held_to_what_it_declares_and_not_run(files: Files) -> None:
    own = MetricFacts(name="own:Metric", classifies=True)
    with pytest.raises(DataError, match="labels from 0 to 2, got 3"):
        check(files, own, CLASSES + 1, model({"y": (3,)}))
    check(files, MetricFacts(name="own:Metric"), CLASSES + 50, model({"y": (3,)}))
    with pytest.raises(DataError, match="labels, which own:Metric needs, got none"):
        check(files, own, None, model({"y": (3,)}), evaluation=files.arrays("unlabelled", x=X))


def test_what_a_signature_does_not_say_is_left_to_the_lint(files: Files) -> None:
    check(files, "top1", CLASSES, model({"y": (-1,)}))
    check(files, "binary_accuracy", TWO, model({"y": (-1,)}))
    check(files, "mae", X, {"serving_default": None})
    with pytest.raises(SpecError, match=r"evaluation.signature: expected one of one, two, got None"):
        check(files, "mae", X, {"one": None, "two": None})


def test_large_data_without_an_index_are_left_to_the_lint(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("litegate.lint.beforehand._INDEXED", 10)
    write("tfrecord", tmp_path / "large.tfrecord", X, CLASSES + 9)
    check(files, "top1", None, model({"y": (3,)}), evaluation=files.pin(tmp_path / "large.tfrecord", "tfrecord"))
    assert ["large" in line for line in files.said] == [True]
