"""Step `sample`: choose the representative samples, preprocess them and check them against the signatures."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from litegate.datasets.calibration import WHERE, choose_samples, open_calibration
from litegate.datasets.features import FeatureReader
from litegate.datasets.representative import save_samples
from litegate.lint.summary import Collector
from litegate.progress import Progress
from litegate.records import InputStatistics, SampleRequest, SampleSet
from litegate.requalification import statistics_of
from litegate.runtimes.litert import LiteRTModel
from litegate.user_code.source import load_preprocess
from litegate.work.step_work import Work

__all__ = ["run"]

Array = np.ndarray[Any, np.dtype[Any]]


def run(request: SampleRequest, work: Work) -> SampleSet:
    """Choose `request.samples` samples, stratified by label where there are labels.

    Raises:
        DataError: the data cannot be read or does not fit the model's signatures.
    """
    content = work.path(request.artifact.file).read_bytes()
    models = {key: LiteRTModel(content, key) for key in request.artifact.signatures}
    dataset = open_calibration(request.data, work, {key: model.inputs for key, model in models.items()})
    chosen = choose_samples(dataset, request.samples, request.seed)
    readers = {key: FeatureReader(dataset, model.inputs, key, WHERE, labelled=False) for key, model in models.items()}
    preprocess = load_preprocess(request.preprocess)
    progress = Progress(work.say, "sample", len(chosen) * len(readers))
    samples = {key: _in_order(reader, chosen, preprocess, progress) for key, reader in readers.items()}
    path = work.folder / "samples.npz"
    save_samples(path, samples)
    labels = Counter() if dataset.labels is None else Counter(str(dataset.labels[index]) for index in chosen)
    work.say(
        "sample: %d of %d samples, seed %d, by label %s", len(chosen), len(dataset.ids), request.seed, dict(labels)
    )
    return SampleSet(
        file=work.keep(path),
        samples=len(chosen),
        available=len(dataset.ids),
        labels=dict(sorted(labels.items())),
        inputs={f"{key}/{name}": _statistics(value) for key, each in samples.items() for name, value in each.items()},
    )


def _statistics(values: Array) -> InputStatistics:
    collector = Collector()
    for value in values:
        collector.add(value)
    return statistics_of(collector.summary())


def _in_order(reader: FeatureReader, chosen: Array, preprocess: Any, progress: Progress) -> dict[str, Array]:
    """The chosen samples in the order of the choice, whatever order the dataset was read in."""
    batches = []
    for batch in reader.batches(chosen, preprocess):
        batches.append(batch)
        progress.add(len(batch[0]))
    position = {int(index): place for place, index in enumerate(chosen)}
    indices = np.concatenate([batch[0] for batch in batches])
    order = np.argsort([position[int(index)] for index in indices])
    return {name: np.concatenate([batch[2][name] for batch in batches])[order] for name in reader.inputs}
