"""Step `evaluate`: run .tflite files over the evaluation data and keep the outcome of every sample.

An evaluation that may end early visits the samples in a seeded random order, block by block, and runs the files
that the variant is compared with in lockstep, so that what was seen at any time is a random sample of pairs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from litegate.datasets import open_dataset
from litegate.datasets.features import FeatureReader
from litegate.errors import BadInput, DataError
from litegate.evaluation.asked import Asked, controls_of, runs_of, timed_on_device
from litegate.evaluation.beside import Beside, control_outcomes, host_outcomes, kept, reference_outcomes
from litegate.evaluation.blocks import Plan
from litegate.evaluation.interface import Interface, interface_of
from litegate.evaluation.kept import Kept, Seen
from litegate.evaluation.lockstep import FileFailed, Job, Run
from litegate.evaluation.one_pass import HostPart, OnePass, Part
from litegate.evaluation.order import order_of
from litegate.evaluation.plans import counted, plan_of
from litegate.evaluation.pool import Pool, processes_for
from litegate.failures import FailureKind
from litegate.lint.labels import check_labels, lists_of
from litegate.metrics.classes import number_of_classes
from litegate.metrics.loading import load_metric
from litegate.outcomes.clusters import Clusters
from litegate.progress import Progress
from litegate.records import (
    Artifact,
    EvaluateFilesRequest,
    EvaluateRequest,
    FileEvaluation,
    FileEvaluations,
    FileFailure,
)
from litegate.runtimes import runtime_row
from litegate.work.step_work import Work

__all__ = ["run"]

Array = np.ndarray[Any, np.dtype[Any]]
Result = FileEvaluation | FileFailure
_CURE = "`litegate evidence request SPEC.yaml VARIANT DIR` gives out what the device is to run"
_SHARE_OF_THE_TIME = 6
"""A file that needs a sixth of the whole step's time for a few samples does nothing any more."""


def run(request: EvaluateFilesRequest, work: Work) -> FileEvaluations:
    """Evaluate every file of the request; one that fails takes no other along.

    Raises:
        DataError: the data cannot be read or does not fit the model or the metric.
        SpecError: the user's metric cannot be used.
        StepFailed: a process died of the data or the user's code.
    """
    results: dict[int, Result] = {}
    loaded = _Loaded(request, work)
    groups = loaded.groups(results)
    for places in groups:
        try:
            results |= _Evaluating(request, places, loaded, work).run()
        except BadInput as error:
            if len(groups) == 1:
                raise
            results |= {at: _failure(request.files[at], FailureKind.BAD_INPUT, str(error)) for at in places}
    return FileEvaluations(files=tuple(results[at] for at in range(len(request.files))))


class _Loaded:
    """The files of a request by number, each once, and what they take and give."""

    def __init__(self, request: EvaluateFilesRequest, work: Work) -> None:
        self._request = request
        every = (each for file in request.files for each in (*runs_of(file), *controls_of(file)))
        asked = {(each.artifact.file.digest, each.runtime): each for each in every}
        self.numbers = {run: number for number, run in enumerate(asked)}
        self.runs = tuple(each.run(work) for each in asked.values())
        self.found = [self._interface(number, run) for number, run in enumerate(self.runs)]

    def groups(self, results: dict[int, Result]) -> list[list[int]]:
        """The request's files that can go together; a pass needs inputs of one kind. Others have failed."""
        groups: dict[str, list[int]] = {}
        for at, file in enumerate(self._request.files):
            problem = self._problem(file)
            if problem is not None:
                results[at] = _failure(file, *problem)
            else:
                groups.setdefault(str(self.interface(file.artifact, file.runtime)), []).append(at)
        return list(groups.values())

    def number(self, artifact: Artifact, runtime: str) -> int:
        """Of a file as a runtime runs it."""
        return self.numbers[artifact.file.digest, runtime]

    def interface(self, artifact: Artifact, runtime: str) -> Interface:
        found = self.found[self.number(artifact, runtime)]
        assert isinstance(found, Interface)
        return found

    def _interface(self, number: int, run: Run) -> Interface | FileFailed:
        if runtime_row(run.runtime).recorded and run.evidence is None:
            return FileFailed(number, FailureKind.NO_EVIDENCE, f"no evidence of it from {run.runtime}; {_CURE}")
        try:
            return interface_of(number, run, self._request.files[0].signature)
        except FileFailed as failed:
            return failed

    def _problem(self, file: EvaluateRequest) -> tuple[FailureKind, str] | None:
        """The same samples go through a file and its references, so all must take and give the same."""
        for each in runs_of(file):
            problem = self._unlike(each, file)
            if problem is not None:
                return problem
        return None

    def _unlike(self, each: Asked, file: EvaluateRequest) -> tuple[FailureKind, str] | None:
        """Why a run of a file, or of what it is compared with, cannot be, or takes or gives something else."""
        found = self.found[self.number(each.artifact, each.runtime)]
        if isinstance(found, FileFailed):
            return found.kind, _of(each.role, found.message)
        own = self.interface(file.artifact, file.runtime)
        if str(found) == str(own):
            return None
        expected = f"the candidate's inputs and outputs, {own}"
        return FailureKind.BAD_INPUT, str(DataError(each.role, expected, str(found)))

    def able(self, file: EvaluateRequest) -> list[str]:
        """The runtimes that run a file itself."""
        asked = [file.runtime, file.host, None if "" in self.refused(file) else file.control]
        return [name for name in asked if name is not None]

    def refused(self, file: EvaluateRequest) -> dict[str, str]:
        """Why a file, and a champion beside it, cannot have the control variate that was asked for, by the role."""
        problems = {each.of: self._unlike(each._replace(role=""), file) for each in controls_of(file)}
        title = runtime_row(file.control).title if file.control else ""
        return {role: f"{title} cannot run it: {found[1]}" for role, found in problems.items() if found is not None}


class _Evaluating:
    """One pass for files that take and give the same."""

    def __init__(self, request: EvaluateFilesRequest, places: list[int], loaded: _Loaded, work: Work) -> None:
        self._files = {at: request.files[at] for at in places}
        self._loaded, self._work = loaded, work
        self._first = first = request.files[places[0]]
        self._interface = loaded.interface(first.artifact, first.runtime)
        self._metric = load_metric(first.metric, first.metric_code, first.judged)
        self._dataset = open_dataset(first.data, work, first.where, self._interface.inputs)
        shapes = {name: tensor.shape for name, tensor in self._interface.outputs.items()}
        self._classes = number_of_classes(self._metric, shapes)
        place, relabelled = f"{first.where} {first.data.uri}", first.preprocess is not None
        check_labels(self._dataset, self._metric.facts, self._classes, place, relabelled)
        self._parts = {at: self._part(file) for at, file in self._files.items()}

    def run(self) -> dict[int, Result]:
        """What each of the files comes to, by its place in the request."""
        first, work = self._first, self._work
        samples = max(len(part.plan.order) for part in self._parts.values())
        processes, what = processes_for(samples), f"evaluate {', '.join(part.name for part in self._parts.values())}"
        work.say("%s: %s samples of %s, %d processes", what, f"{samples:,}", first.data.uri, processes)
        at_most = any(file.stopping is not None for file in self._files.values())
        progress = Progress(work.say, what, samples, at_most=at_most)
        with tempfile.TemporaryDirectory(dir=work.folder) as folder:
            outcomes = Kept(Path(folder), self._dataset)
            with Pool(self._job(), processes, work.seconds / _SHARE_OF_THE_TIME, work.folder, progress) as pool:
                whole = OnePass(pool, list(self._parts.values()), self._metric.facts, outcomes)
                whole.run()
            seconds = progress.seconds
            return {at: self._result(file, whole, self._parts[at], seconds) for at, file in self._files.items()}

    def _part(self, file: EvaluateRequest) -> Part:
        number = self._loaded.number
        references: dict[str, int] = {
            each.role: number(each.artifact, each.runtime or file.runtime) for each in file.references
        }
        plan = plan_of(file, self._dataset, self._classes)
        name, own, host = file.artifact.variant, number(file.artifact, file.runtime), self._host(file)
        return Part(name, own, references, plan, file.stopping, host, self._control(file, host))

    def _host(self, file: EvaluateRequest) -> HostPart | None:
        """All samples, in the order in which they are read best."""
        if file.host is None:
            return None
        order = order_of(file.choice, self._dataset)
        own = self._loaded.number(file.artifact, file.host)
        return HostPart(
            own,
            {each.role: self._loaded.number(each.artifact, file.host) for each in file.references},
            order if isinstance(order, range) else np.sort(order),
        )

    def _control(self, file: EvaluateRequest, host: HostPart | None) -> HostPart | None:
        """The same with the control variate's runtime where that can run a file; None where it cannot run this one."""
        refused = self._loaded.refused(file)
        if file.control is None or host is None or "" in refused:
            return None
        runs = {each.of: self._loaded.number(each.artifact, each.runtime) for each in controls_of(file)}
        able = {role: number for role, number in runs.items() if role not in refused}
        return replace(host, file=able.pop(""), references={**host.references, **able})

    def _job(self) -> Job:
        first, interface = self._first, self._interface
        longest = lists_of(self._dataset, self._metric.facts)
        return Job(
            files=self._loaded.runs,
            signature=interface.signature,
            compared=first.host is not None,
            reader=FeatureReader(self._dataset, interface.inputs, interface.signature, first.where, longest=longest),
            metric=first.metric,
            metric_code=first.metric_code,
            judged=first.judged,
            preprocess=first.preprocess,
            classes=self._classes,
        )

    def _result(self, file: EvaluateRequest, whole: OnePass, part: Part, seconds: float) -> Result:
        for each in (*runs_of(file), *(controls_of(file) if part.control else ())):
            failed = whole.pool.failures.get(self._loaded.number(each.artifact, each.runtime))
            if failed is not None:
                return _failure(file, failed.kind, _of(each.role, failed.message))
        beside = Beside(whole.seen_by_host(part), whole.seen_by_control(part), self._loaded.refused(file).get("", ""))
        return self._evaluation(file, whole.seen(part), beside, part.plan, seconds)

    def _evaluation(
        self,
        file: EvaluateRequest,
        seen: Mapping[str, Seen],
        beside: Beside,
        plan: Plan,
        seconds: float,
    ) -> FileEvaluation:
        outcomes = seen[file.artifact.variant]
        clusters = Clusters.by(outcomes.column("group"), outcomes.copies())
        kernels = {name: self._loaded.interface(file.artifact, name).kernels for name in self._loaded.able(file)}
        _say(file, self._work, outcomes, clusters, len(plan.order), f"{len(outcomes) / seconds:,.0f} samples/s")
        return FileEvaluation(
            artifact_digest=file.artifact.file.digest,
            metric=self._metric.facts,
            samples=len(outcomes),
            available=len(plan.order),
            outcomes=kept(self._work, outcomes, "outcomes.npz"),
            class_samples=dict(plan.class_samples),
            slice_samples={field: dict(values) for field, values in plan.slice_samples.items()},
            predictions=counted(outcomes.parts("prediction")),
            classes=self._dataset.classes,
            **_design(file, plan.counts),
            clusters=None if clusters is None else len(clusters),
            largest_group=plan.largest_group,
            references=reference_outcomes(file, self._work, seen, beside),
            seconds=seconds,
            kernels=kernels[file.runtime],
            host=host_outcomes(file, self._work, beside, kernels),
            control=control_outcomes(file, self._work, beside, kernels),
            on_device=timed_on_device(file, self._work),
        )


def _of(role: str, message: str) -> str:
    return f"{role}: {message}" if role else message


def _failure(file: EvaluateRequest, kind: FailureKind, message: str) -> FileFailure:
    return FileFailure(artifact_digest=file.artifact.file.digest, kind=kind, message=message)


def _design(request: EvaluateRequest, counts: list[int]) -> dict[str, Any]:
    if request.stopping is None:
        return {"design": "fixed"}
    if request.stopping.first_samples is None:
        return {"design": "sequential"}
    return {"design": "interim", "analyses": len(counts)}


def _say(
    request: EvaluateRequest, work: Work, outcomes: Seen, clusters: Clusters | None, available: int, speed: str
) -> None:
    variant, count = request.artifact.variant, len(outcomes)
    if request.stopping is not None:
        ended = "decided after" if count < available else "went to the end,"
        work.say("evaluate %s: %s %s of %s samples", variant, ended, f"{count:,}", f"{available:,}")
    score, group = outcomes.column("score"), outcomes.column("group")
    value = "" if score is None else f" {score.mean():.4f}"
    where = f"{count:,} samples" + ("" if clusters is None else f" in {len(clusters):,} clusters")
    work.say("evaluate %s: %s%s on %s, %s", variant, request.metric, value, where, speed)
    groups = 0 if group is None else len(np.unique(group))
    if clusters is not None and len(clusters) < groups:
        joined = f"{groups:,} groups are {len(clusters):,} clusters: some have a copy of the same sample"
        work.say("evaluate %s: %s", variant, joined)
