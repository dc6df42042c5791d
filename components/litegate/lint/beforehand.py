"""What is wrong with data by the model's signatures alone: said before the model is converted.

Labels that the metric cannot judge the output by, fields that are none of the inputs, samples that do not fit or are
not finite. All labels are looked at that are classes, and otherwise a few samples: `lint` looks at more of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from litegate.datasets import Dataset, open_dataset, size_of
from litegate.datasets.calibration import WHERE as CALIBRATION
from litegate.datasets.calibration import choose_samples, open_calibration, tensors
from litegate.datasets.features import FeatureReader
from litegate.datasets.sampling import choose
from litegate.lint.evaluation import label_coverage
from litegate.lint.labels import check_labels, lists_of
from litegate.lint.severity import allowed, refuse_errors
from litegate.metrics.base import OUTPUT, Metric, check_classes
from litegate.metrics.classes import number_of_classes
from litegate.metrics.loading import load_metric
from litegate.records import DataInUse, DataRef, Signature, TensorSpec
from litegate.source.signatures import evaluated_signature
from litegate.spec.metric_facts import DECODED, built_in_facts
from litegate.storage.opening import local_path
from litegate.user_code.source import load_preprocess
from litegate.work.step_work import Work

__all__ = ["EVALUATION", "check_data"]

Array = np.ndarray[Any, np.dtype[Any]]
EVALUATION = "evaluation.uri"

_FEW, _MOST, _READ = 16, 1000, 32 << 20
"""Samples: few where each takes its time, with a `preprocess` or from afar; else as many as are so many bytes."""
_JUDGED = 128
_INDEXED = 256 << 20
"""Bytes of a dataset whose format has no index of its own: to make one of more takes longer than to convert."""
_WITHOUT_INDEX = frozenset({"csv", "parquet", "tfrecord", "webdataset"})


def check_data(data: DataInUse, signatures: Mapping[str, Signature | None], work: Work) -> None:
    """Refuse data that no conversion of the model could use.

    Args:
        signatures: of the source model, by key; None where one is not known.

    Raises:
        DataError: a dataset cannot be read, does not fit the inputs, or its labels do not fit metric and output.
        SpecError: the model has several signatures, and the spec names none of them.
    """
    key = evaluated_signature(signatures, data.signature)
    known = {name: signature for name, signature in signatures.items() if signature is not None}
    if key in known:
        check = _Check(data, known, key, work)
        check.evaluation()
        check.calibration()


class _Check:
    """The datasets of a run against the signatures of its model."""

    def __init__(self, data: DataInUse, signatures: Mapping[str, Signature], key: str, work: Work) -> None:
        self.data, self.key, self.work = data, key, work
        self.inputs = {name: tensors(each.inputs) for name, each in signatures.items()}
        self.outputs = signatures[key].outputs
        self.preprocess = load_preprocess(data.preprocess)
        self.metric = _metric(data)

    def evaluation(self) -> None:
        """Labels, and some samples with theirs."""
        ref = self.data.evaluation
        if self._is_large(ref, EVALUATION):
            return
        # Of a TFRecord file that is read in parts the labels are not known.
        sparse = _is_remote(ref) and ref.format != "tfrecord"
        dataset = open_dataset(ref, self.work, EVALUATION, self.inputs[self.key], sparse=sparse)
        classes = self._classes()
        place = f"{EVALUATION} {ref.uri}"
        check_labels(dataset, self.data.metric, classes, place, self.preprocess is not None)
        self._labels(dataset, classes)
        asked, most = self.data.max_samples, self._most(self.key, ref)
        chosen = choose(dataset.ids, most if asked is None else min(most, asked), self.data.seed)
        seen = 0
        reader = FeatureReader(
            dataset, self.inputs[self.key], self.key, EVALUATION, longest=lists_of(dataset, self.data.metric)
        )
        for index, labels, features in reader.batches(chosen, self.preprocess):
            if labels is not None and classes is not None:
                check_classes(labels, classes, "preprocess", [dataset.ids[at] for at in index.tolist()])
            if labels is not None and seen < _JUDGED:
                self._judge(labels, features)
            seen += len(index)
        self.work.say("convert: looked at %d evaluation samples", seen)

    def calibration(self) -> None:
        """Some of the samples that calibrate, for every signature."""
        ref = self.data.calibration
        if self._is_large(ref, CALIBRATION):
            return
        dataset = open_calibration(ref, self.work, self.inputs, self.key)
        chosen = choose_samples(dataset, self.data.samples, self.data.seed)
        for key in self.inputs:
            reader = FeatureReader(dataset, self.inputs[key], key, CALIBRATION, labelled=False)
            for _ in reader.batches(chosen[: self._most(key, ref)], self.preprocess):
                pass  # reading them is the check

    def _is_large(self, ref: DataRef, where: str) -> bool:
        large = ref.format in _WITHOUT_INDEX and size_of(ref, self.work) > _INDEXED
        if large:
            self.work.say("convert: %s %s is looked at after the conversion: it is large", where, ref.uri)
        return large

    def _classes(self) -> int | None:
        """How many classes the output that is judged tells apart; None also where its shape is not known yet."""
        shapes = {name: each.shape for name, each in self.outputs.items()}
        if all(-1 not in shape[1:] for shape in shapes.values()):
            return number_of_classes(self.metric, shapes)
        return None

    def _labels(self, dataset: Dataset, classes: int | None) -> None:
        """Whether classes that are all known can be those of the model."""
        if dataset.labels is None or not self.data.metric.classifies or self.preprocess is not None:
            return
        labels = dataset.labels[choose(dataset.ids, self.data.max_samples, self.data.seed)]
        found = [allowed(each, self.data.allow) for each in label_coverage(labels, classes, dataset.classes)]
        refuse_errors(found, self.data)

    def _judge(self, labels: Array, features: Mapping[str, Array]) -> None:
        """Ask a metric that comes with litegate about outputs of nothing but zeros: whether it can judge by labels."""
        specs = self.outputs.values()
        known = all(spec.shape and -1 not in spec.shape[1:] for spec in specs)
        if not known or self.metric.facts.name in DECODED or built_in_facts(self.metric.facts.name) is None:
            return
        zeros = {name: _zeros(spec, len(labels)) for name, spec in self.outputs.items()}
        with np.errstate(all="ignore"):
            self.metric.columns(zeros, labels, features)

    def _most(self, key: str, ref: DataRef) -> int:
        """How many samples are read."""
        sizes = [math.prod(each.shape[1:]) * each.dtype.itemsize for each in self.inputs[key].values()]
        if self.preprocess is not None or _is_remote(ref) or any(size <= 0 for size in sizes):
            return _FEW
        return max(_FEW, min(_MOST, _READ // sum(sizes)))


def _metric(data: DataInUse) -> Metric:
    """The metric; of a user's only what it declares, for its code runs where it measures."""
    if built_in_facts(data.metric.name) is not None:
        return load_metric(data.metric.name, judged=data.judged)
    output = data.judged.output
    return Metric(data.metric, lambda *_: {}, output=output, needs={} if output is None else {output: OUTPUT})


def _is_remote(ref: DataRef) -> bool:
    return local_path(ref.uri) is None


def _zeros(spec: TensorSpec, size: int) -> Array:
    return np.zeros((size, *spec.shape[1:]), spec.dtype)
