"""Step `drift`: compare fresh data with those that the champion was calibrated and judged on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from litegate.datasets import open_dataset
from litegate.datasets.features import FeatureReader
from litegate.datasets.sampling import choose
from litegate.errors import StoreError
from litegate.inspection import input_ranges
from litegate.lint.summary import Collector, Summary
from litegate.records import Drift, DriftFinding, DriftRequest, InputDrift, InputStatistics
from litegate.requalification import compared, drift_sentence, findings_of, of_predictions, predictions_psi
from litegate.runtimes.litert import LiteRTModel
from litegate.user_code.source import load_preprocess
from litegate.work.step_work import Work

__all__ = ["run"]

WHERE = "requalify.uri"
SAMPLES = 2000
SAMPLES_BYTES = 512 << 20


def run(request: DriftRequest, work: Work) -> Drift:
    """Measure the inputs of the evaluated signature, and the predicted classes.

    Raises:
        DataError: the data cannot be read or do not fit the model.
        StoreError: what was kept of the calibration samples is not about this model.
    """
    measured = _Measured(request, work)
    inputs = tuple(measured.inputs())
    then, now = request.champion.reference.predictions, request.evaluated.predictions
    index = predictions_psi(then, now)
    drift = Drift(
        samples=measured.samples,
        inputs=inputs,
        predictions_psi=index,
        findings=(
            *measured.findings(inputs),
            *(() if index is None else of_predictions(index, then, now, request.limits)),
        ),
        notes=tuple(_notes(request)),
    )
    drift = drift.model_copy(update={"sentence": drift_sentence(drift)})
    for found in inputs:
        said = "drift: %s: %.3g outside of %.4g to %.4g, shift %.3g, stability index %.3g"
        work.say(said, found.input, found.outside, found.low, found.high, found.shift, found.psi)
    work.say("drift: %s", drift.sentence)
    return drift


class _Measured:
    """One request, and the samples that were looked at for it."""

    def __init__(self, request: DriftRequest, work: Work) -> None:
        self.request, self.work = request, work
        content = work.path(request.champion.artifact.file).read_bytes()
        self.model = LiteRTModel(content, request.signature)
        self.ranges = input_ranges(content, self.model.signature)
        self.samples = 0

    def inputs(self) -> Iterator[InputDrift]:
        """Every input of the signature."""
        for name, summary in self._summaries().items():
            tensor = self.model.inputs[name]
            identifiers = tensor.real_dtype.kind in "iub"
            yield compared(name, self._then(name), summary, self.ranges.get(name), identifiers)

    def findings(self, inputs: tuple[InputDrift, ...]) -> Iterator[DriftFinding]:
        """What of them is too much."""
        for found in inputs:
            yield from findings_of(found, self._then(found.input), self.request.limits)

    def _then(self, name: str) -> InputStatistics:
        key = f"{self.model.signature}/{name}"
        known = self.request.champion.reference.inputs
        if key not in known:
            raise StoreError(f"the champion's calibration samples: expected {key}, got {', '.join(known) or 'nothing'}")
        return known[key]

    def _summaries(self) -> dict[str, Summary]:
        request = self.request
        dataset = open_dataset(request.data, self.work, WHERE, self.model.inputs)
        reader = FeatureReader(dataset, self.model.inputs, self.model.signature, WHERE, labelled=False)
        collectors = {name: Collector() for name in reader.inputs}
        size = 4 * sum(int(np.prod(np.abs(tensor.shape[1:]))) for tensor in self.model.inputs.values())
        count = min(request.limits.max_samples or SAMPLES, SAMPLES, max(50, SAMPLES_BYTES // max(1, size)))
        order = choose(dataset.ids, count, request.seed)
        for indices, _, features in reader.batches(order, load_preprocess(request.preprocess)):
            self.samples += len(indices)
            for name, collector in collectors.items():
                for value in features[name]:
                    collector.add(value)
        return {name: collector.summary() for name, collector in collectors.items()}


def _notes(request: DriftRequest) -> Iterator[str]:
    now = request.preprocess and request.preprocess.digest
    if now != request.champion.reference.preprocess_digest:
        yield "the source of preprocess is not what it was when the champion was judged"
