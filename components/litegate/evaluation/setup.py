"""What one pass over the data needs for files that take and give the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from litegate.datasets import open_dataset
from litegate.datasets.features import FeatureReader
from litegate.evaluation.asked import controls_of
from litegate.evaluation.loaded import Loaded
from litegate.evaluation.lockstep import Job
from litegate.evaluation.one_pass import HostPart, Part
from litegate.evaluation.order import order_of
from litegate.evaluation.plans import plan_of
from litegate.evaluation.pool import Pool, processes_for
from litegate.lint.labels import check_labels, lists_of
from litegate.metrics.classes import number_of_classes
from litegate.metrics.loading import load_metric
from litegate.progress import Progress
from litegate.records import EvaluateRequest
from litegate.work.step_work import Work

__all__ = ["Setup"]

Array = np.ndarray[Any, np.dtype[Any]]
_SHARE_OF_THE_TIME = 6
"""A file that needs a sixth of the whole step's time for a few samples does nothing any more."""


class Setup:
    """Dataset, metric and what each file is to see.

    Args:
        files: by number.

    Raises:
        DataError: the data cannot be read or does not fit the model or the metric.
        SpecError: the user's metric cannot be used.

    Attributes:
        parts: of the pass, by number.
        classes: of the model, None where it is no classifier.
    """

    def __init__(self, files: Mapping[int, EvaluateRequest], loaded: Loaded, work: Work) -> None:
        self.loaded, self._work = loaded, work
        self._first = first = next(iter(files.values()))
        self._interface = loaded.interface(first.artifact, first.runtime)
        self.metric = load_metric(first.metric, first.metric_code, first.judged)
        self.dataset = open_dataset(first.data, work, first.where, self._interface.inputs)
        shapes = {name: tensor.shape for name, tensor in self._interface.outputs.items()}
        self.classes = number_of_classes(self.metric, shapes)
        place, relabelled = f"{first.where} {first.data.uri}", first.preprocess is not None
        check_labels(self.dataset, self.metric.facts, self.classes, place, relabelled)
        self.parts = {at: self._part(file) for at, file in files.items()}

    def pool(self, samples: int, what: str) -> tuple[Pool, Progress]:
        """The processes for so many samples, which is said, and how far they have come.

        Args:
            what: they do, for the log.
        """
        work, processes = self._work, processes_for(samples)
        at_most = any(part.stopping is not None for part in self.parts.values())
        progress = Progress(work.say, what, samples, at_most=at_most)
        if samples:
            work.say("%s: %s samples of %s, %d processes", what, f"{samples:,}", self._first.data.uri, processes)
        return Pool(self._job(), processes, work.seconds / _SHARE_OF_THE_TIME, work.folder, progress), progress

    def _part(self, file: EvaluateRequest) -> Part:
        number = self.loaded.number
        references: dict[str, int] = {
            each.role: number(each.artifact, each.runtime or file.runtime) for each in file.references
        }
        plan = plan_of(file, self.dataset, self.classes)
        name, own, host = file.artifact.variant, number(file.artifact, file.runtime), self._host(file)
        return Part(name, own, references, plan, file.stopping, host, self._control(file, host))

    def _host(self, file: EvaluateRequest) -> HostPart | None:
        """All samples, in the order in which they are read best."""
        if file.host is None:
            return None
        order = order_of(file.choice, self.dataset)
        own = self.loaded.number(file.artifact, file.host)
        return HostPart(
            own,
            {each.role: self.loaded.number(each.artifact, file.host) for each in file.references},
            order if isinstance(order, range) else np.sort(order),
        )

    def _control(self, file: EvaluateRequest, host: HostPart | None) -> HostPart | None:
        """The same with the control variate's runtime where that can run a file; None where it cannot run this one."""
        refused = self.loaded.refused(file)
        if file.control is None or host is None or "" in refused:
            return None
        runs = {each.of: self.loaded.number(each.artifact, each.runtime) for each in controls_of(file)}
        able = {role: number for role, number in runs.items() if role not in refused}
        return replace(host, file=able.pop(""), references={**host.references, **able})

    def _job(self) -> Job:
        first, interface = self._first, self._interface
        longest = lists_of(self.dataset, self.metric.facts)
        return Job(
            files=self.loaded.runs,
            signature=interface.signature,
            compared=first.host is not None,
            reader=FeatureReader(self.dataset, interface.inputs, interface.signature, first.where, longest=longest),
            metric=first.metric,
            metric_code=first.metric_code,
            judged=first.judged,
            preprocess=first.preprocess,
            classes=self.classes,
        )
