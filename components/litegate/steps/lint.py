"""Step `lint`: look at the representative samples, and at a part of the evaluation, before either is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from litegate.datasets import Dataset, open_dataset
from litegate.datasets.calibration import WHERE as CALIBRATION
from litegate.datasets.calibration import choose_samples, open_calibration
from litegate.datasets.features import FeatureReader
from litegate.datasets.representative import load_samples
from litegate.datasets.sampling import choose
from litegate.errors import DataError
from litegate.inspection import read_file
from litegate.inspection.large_constants import large_constants
from litegate.lint.baseline import Baseline
from litegate.lint.beforehand import EVALUATION
from litegate.lint.labels import check_labels, lists_of
from litegate.lint.near import NearCopies
from litegate.lint.probing import Probe
from litegate.lint.samples import counted, coverage, leakage, numbers_of_samples
from litegate.lint.severity import allowed, refuse_errors
from litegate.lint.sizes import large_constant, uneven
from litegate.lint.summary import Collector, Summary, digest_of, summary_of
from litegate.lint.values import by_itself, compared
from litegate.metrics.loading import load_metric
from litegate.progress import Progress
from litegate.records import DataFinding, Lint, LintRequest
from litegate.runtimes.litert import LiteRTModel, Misfit, check_features
from litegate.source.signatures import evaluated_signature
from litegate.user_code.source import load_preprocess
from litegate.work.step_work import Work

__all__ = ["run"]

Array = np.ndarray[Any, np.dtype[Any]]
COMPARED = 1000
COMPARED_BYTES = 512 << 20
SEARCHED_BYTES = 1 << 30
"""So much of the evaluation set is read at most, in a random order; a gigabyte is some seconds."""


def run(request: LintRequest, work: Work) -> Lint:
    """Look for what would spoil calibration, and for evaluations that mean nothing.

    Raises:
        DataError: there is an error that the spec does not allow, or a dataset cannot be read.
        SpecError: the model has several signatures, and the spec names none of them.
    """
    lint = _Lint(request, work)
    codes = {"calibration": request.allow, "evaluation": request.allow_evaluation}
    findings = [allowed(finding, codes[finding.data]) for finding in lint.findings()]
    for finding in findings:
        work.say("lint %s: %s %s: %s", finding.severity, finding.code, finding.input or finding.data, finding.message)
    refuse_errors(findings, request)
    work.say("lint: %d warnings; compared with %d evaluation samples", len(findings), lint.compared)
    return Lint(
        findings=tuple(findings), samples=request.samples.samples, compared=lint.compared, searched=lint.searched
    )


class _Lint:
    """The datasets of one request, and how much of the evaluation set was looked at."""

    def __init__(self, request: LintRequest, work: Work) -> None:
        self.request, self.work = request, work
        self.content = work.path(request.artifact.file).read_bytes()
        self.models = {key: LiteRTModel(self.content, key) for key in request.artifact.signatures}
        self.signature = evaluated_signature(request.artifact.signatures, request.signature)
        self.samples = load_samples(work.path(request.samples.file))
        own = self.models[self.signature].inputs
        inputs = {key: model.inputs for key, model in self.models.items()}
        self.calibration = open_calibration(request.calibration, work, inputs, self.signature)
        self.evaluation = open_dataset(request.evaluation, work, EVALUATION, own)
        self.preprocess = load_preprocess(request.preprocess)
        self.order = choose(self.evaluation.ids, request.max_samples, request.seed)
        self.probe = Probe(self.preprocess, self.evaluation.labels) if self.preprocess else None
        self.near = NearCopies(self.samples.get(self.signature, {}))
        metric = load_metric(request.metric, request.metric_code, request.judged)
        place = f"{EVALUATION} {request.evaluation.uri}"
        self.metric = metric.facts
        self.baseline = Baseline(self.models[self.signature], metric, self.evaluation, self.order, place)
        check_labels(self.evaluation, metric.facts, self.baseline.classes, place, self.preprocess is not None)
        self.copies: set[str] = set()
        self.compared = self.searched = 0

    def findings(self) -> Iterator[DataFinding]:
        """Everything, whatever its severity."""
        self._check_signature()
        ids = [self.calibration.ids[index] for index in self._chosen()]
        yield from numbers_of_samples(self._digests(), ids)
        yield from self._values()
        yield from (large_constant(*found) for found in large_constants(read_file(self.content)))
        yield from coverage(*self._classes())
        yield from self._leakage()
        copies = {at for at, name in enumerate(ids) if name in self.copies}
        yield from self.near.findings(len(self.order), copies, ids)
        yield from self.probe.findings() if self.probe else ()
        yield from self.baseline.findings()

    def _chosen(self) -> Array:
        """The samples that the step `sample` chose, which is what its seed says."""
        return choose_samples(self.calibration, self.request.samples.samples, self.request.seed)

    def _check_signature(self) -> None:
        for key, model in self.models.items():
            try:
                check_features(self.samples.get(key, {}), model.inputs)
            except Misfit as error:
                raise DataError(f"{CALIBRATION}, signature {key}", "samples that fit it", str(error)) from None

    def _digests(self) -> list[bytes]:
        """Of each sample, over all signatures."""
        flat = {f"{key}/{name}": value for key, inputs in self.samples.items() for name, value in inputs.items()}
        return [
            digest_of({name: value[at] for name, value in flat.items()}) for at in range(self.request.samples.samples)
        ]

    def _values(self) -> Iterator[DataFinding]:
        evaluated = self._evaluated()
        for key, inputs in self.samples.items():
            for name, values in inputs.items():
                own = f"{key}/{name}"
                found = summary_of(values)
                if found is None or found.not_finite:
                    expected = "finite numbers (an infinite one ends the converter)"
                    raise DataError(f"{CALIBRATION}: {own}", expected, "NaN or infinity")
                other = evaluated[name] if key == self.signature else None
                yield from by_itself(own, found, other)
                if values.dtype.kind == "f":
                    yield from uneven(own, found, values.shape[1:])
                if other is not None:
                    yield from compared(own, found, other, values.dtype.kind == "f")

    def _evaluated(self) -> dict[str, Summary]:
        """The inputs of evaluation samples, chosen at random and made by the same `preprocess`."""
        inputs, longest = self.models[self.signature].inputs, lists_of(self.evaluation, self.metric)
        reader = FeatureReader(self.evaluation, inputs, self.signature, EVALUATION, longest=longest)
        size = sum(value[:1].nbytes for value in self.samples[self.signature].values())
        count = max(50, min(COMPARED, COMPARED_BYTES // max(1, size)))
        collectors = {name: Collector() for name in reader.inputs}
        chosen = self._first(count)
        progress = Progress(self.work.say, "lint: comparing with the evaluation set", len(chosen))
        for indices, labels, features in reader.batches(chosen, self.probe):
            self.compared += len(indices)
            self.near.add(features)
            self.baseline.add(indices, labels, features)
            progress.reach(self.compared)
            for name, collector in collectors.items():
                for value in features[name]:
                    collector.add(value)
        return {name: collector.summary() for name, collector in collectors.items()}

    def _first(self, count: int) -> Array:
        """So many of the samples that will be evaluated, chosen at random."""
        most = self.request.max_samples
        return choose(self.evaluation.ids, count if most is None else min(count, most), self.request.seed)

    def _classes(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """How many samples each class has: by name where both datasets have names, else by number.

        Integers that the metric does not take for classes, such as ages, are none.
        """
        if self.metric.classifies is False:
            return {}, {}
        chosen = self._chosen()
        one, other = self.calibration, self.evaluation
        names = (one.classes, other.classes) if one.classes and other.classes else ((), ())
        return counted(one.labels, chosen, names[0]), counted(other.labels, slice(None), names[1])

    def _leakage(self) -> Iterator[DataFinding]:
        """By the content of the samples before `preprocess`, so that it costs no more than reading them."""
        own = {digest: self.calibration.ids[index] for index, digest in _raw(self.calibration, self._chosen())}
        order = choose(self.evaluation.ids, self._affordable(), self.request.seed)
        progress = Progress(self.work.say, "lint: searching for leakage", len(order))
        found = {}
        for index, digest in _raw(self.evaluation, order):
            self.searched += 1
            progress.reach(self.searched)
            if digest in own:
                found[own[digest]] = self.evaluation.ids[index]
        self.copies = set(found)
        yield from leakage(found, self.request.samples.samples, self.searched, len(self.evaluation.ids))

    def _affordable(self) -> int:
        """How many evaluation samples are searched, by the size of the first."""
        ((_, features, _),) = self.evaluation.read([0])
        size = sum(value.nbytes for value in features.values())
        return max(COMPARED, SEARCHED_BYTES // max(1, size))


def _raw(dataset: Dataset, indices: Array) -> Iterator[tuple[int, bytes]]:
    for index, features, _ in dataset.read(indices):
        yield index, digest_of(features)
