"""Step `evaluate`: run a .tflite file over the evaluation data and keep the outcome of every sample.

An evaluation that may end early visits the samples in a seeded random order, block by block, and runs the files
that the variant is compared with in lockstep, so that what was seen at any time is a random sample of pairs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from litegate.datasets import Dataset, open_dataset
from litegate.datasets.features import FeatureReader
from litegate.datasets.sampling import choose, in_random_order
from litegate.errors import DataError, StepFailed
from litegate.evaluation.blocks import Plan, cumulative_counts, ends_of_groups, evaluate_until_decided
from litegate.evaluation.lockstep import Job
from litegate.evaluation.workers import Workers, processes_for
from litegate.metrics.base import Metric, check_classes
from litegate.metrics.loading import load_metric
from litegate.outcomes.clusters import Clusters
from litegate.outcomes.columns import Outcomes
from litegate.progress import Progress
from litegate.records import (
    EvaluateFilesRequest,
    EvaluateRequest,
    FileEvaluation,
    FileEvaluations,
    FileFailure,
    ReferenceOutcomes,
)
from litegate.runtimes import Model, load_runtime
from litegate.runtimes.litert import Tensor
from litegate.work.step_work import Work

__all__ = ["run"]

Array = np.ndarray[Any, np.dtype[Any]]


def run(request: EvaluateFilesRequest, work: Work) -> FileEvaluations:
    """Evaluate every file of the request; one that fails takes no other along.

    Raises:
        DataError: the data cannot be read or does not fit the model or the metric.
        SpecError: the user's metric cannot be used.
    """
    if len(request.files) == 1:
        return FileEvaluations(files=(_evaluated(request.files[0], work),))
    return FileEvaluations(files=tuple(_attempt(file, work) for file in request.files))


def _attempt(request: EvaluateRequest, work: Work) -> FileEvaluation | FileFailure:
    try:
        return _evaluated(request, work)
    except StepFailed as failure:
        return FileFailure(artifact_digest=request.artifact.file.digest, kind=failure.kind, message=failure.detail)


def _evaluated(request: EvaluateRequest, work: Work) -> FileEvaluation:
    """Evaluate `request.artifact`, and its references on the samples that it saw.

    Raises:
        DataError: the data cannot be read or does not fit the model or the metric.
        SpecError: the user's metric cannot be used.
        StepFailed: a file gave an output that is not finite.
    """
    metric = load_metric(request.metric, request.metric_code)
    model = load_runtime(request.runtime).load(work.path(request.artifact.file).read_bytes(), request.signature)
    dataset = open_dataset(request.data, work, request.where, model.inputs)
    classes = _classes(model)
    _check_labels(dataset, metric, classes, f"{request.where} {request.data.uri}")
    plan = _plan(request, dataset, classes)
    order, counts = plan.order, plan.counts
    processes = processes_for(len(order))
    what = f"evaluate {request.artifact.variant}"
    work.say("%s: %s samples of %s, %d processes", what, f"{len(order):,}", request.data.uri, processes)
    progress = Progress(work.say, what, len(order), at_most=request.stopping is not None)
    with Workers(_job(request, work, model, dataset, classes), processes, progress) as workers:
        seen = evaluate_until_decided(workers, plan, request.stopping, metric.facts, classes)
    seconds = progress.seconds
    outcomes = seen[request.artifact.variant]
    clusters = Clusters.of(outcomes)
    _say(request, work, outcomes, clusters, len(order), f"{len(outcomes) / seconds:,.0f} samples/s")
    return FileEvaluation(
        artifact_digest=request.artifact.file.digest,
        metric=metric.facts,
        samples=len(outcomes),
        available=len(order),
        outcomes=work.keep_bytes(outcomes.to_bytes(), "outcomes.npz"),
        class_samples=dict(plan.class_samples),
        predictions=_counted(outcomes.prediction),
        classes=dataset.classes,
        **_design(request, counts),
        clusters=None if clusters is None else len(clusters),
        largest_group=plan.largest_group,
        references=_references(request, work, seen),
        seconds=seconds,
        kernels=model.kernels,
    )


def _classes(model: Model) -> int | None:
    """Number of classes, where the only output is (batch, classes) of two classes or more."""
    shapes = [tensor.shape for tensor in model.outputs.values()]
    return shapes[0][1] if len(shapes) == 1 and len(shapes[0]) == 2 and shapes[0][1] >= 2 else None


def _check_labels(dataset: Dataset, metric: Metric, classes: int | None, where: str) -> None:
    if not dataset.labelled:
        raise DataError(where, f"labels, which {metric.facts.name} needs", "none")
    if not metric.needs_classes:
        return
    if dataset.labels is None:
        raise DataError(where, f"integers of shape (samples,) as labels for {metric.facts.name}", "targets")
    if classes is None:
        return
    if dataset.classes and len(dataset.classes) != classes:
        found = f"{len(dataset.classes)}: {', '.join(dataset.classes)}"
        raise DataError(where, f"{classes} class folders, as many as the model has classes", f"{found:.300}")
    check_classes(dataset.labels, classes, where, dataset.ids)


def _class_samples(dataset: Dataset, order: Array, classes: int | None) -> dict[int, int]:
    """How many samples of each class there are to be had."""
    if dataset.labels is None or classes is None:
        return {}
    return _counted(dataset.labels[order])


def _counted(labels: Array | None) -> dict[int, int]:
    if labels is None:
        return {}
    values, counts = np.unique(labels, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def _plan(request: EvaluateRequest, dataset: Dataset, classes: int | None) -> Plan:
    """Which samples are visited in which order, and when a verdict is sought: never in the middle of a group."""
    groups, chosen = dataset.groups, (dataset.ids, request.max_samples, request.seed)
    order = choose(*chosen) if request.stopping is None else in_random_order(*chosen, groups)
    visited = None if groups is None else groups[order]
    counts = cumulative_counts(request.stopping, len(order), ends_of_groups(visited))
    largest = 1 if visited is None else int(np.unique(visited, return_counts=True)[1].max())
    return Plan(order, counts, _class_samples(dataset, order, classes), largest)


def _job(request: EvaluateRequest, work: Work, model: Model, dataset: Dataset, classes: int | None) -> Job:
    files = {request.artifact.variant: work.path(request.artifact.file).read_bytes()}
    for reference in request.references:
        files[reference.role] = work.path(reference.artifact.file).read_bytes()
        _check_interface(request, reference.role, files[reference.role], model)
    return Job(
        files=files,
        signature=model.signature,
        runtime=request.runtime,
        reader=FeatureReader(dataset, model.inputs, model.signature, request.where),
        metric=request.metric,
        metric_code=request.metric_code,
        preprocess=request.preprocess,
        classes=classes,
    )


def _check_interface(request: EvaluateRequest, role: str, content: bytes, model: Model) -> None:
    """The same samples go through both, so both must take and give the same."""
    try:
        found = _interface(load_runtime(request.runtime).load(content, model.signature))
    except ValueError as error:
        raise DataError(role, f"a model with the signature {model.signature}", str(error)) from None
    if found != _interface(model):
        raise DataError(role, f"the candidate's inputs and outputs, {_interface(model)}", found)


def _interface(model: Model) -> str:
    def shape(tensor: Tensor) -> str:
        return f"({', '.join(map(str, ('batch', *tensor.shape[1:])))})"

    inputs = (f"{name} {tensor.real_dtype}{shape(tensor)}" for name, tensor in sorted(model.inputs.items()))
    outputs = sorted(shape(tensor) for tensor in model.outputs.values())
    return f"{', '.join(inputs)} -> {', '.join(outputs)}"


def _design(request: EvaluateRequest, counts: list[int]) -> dict[str, Any]:
    if request.stopping is None:
        return {"design": "fixed"}
    if request.stopping.first_samples is None:
        return {"design": "sequential"}
    return {"design": "interim", "analyses": len(counts)}


def _references(request: EvaluateRequest, work: Work, seen: dict[str, Outcomes]) -> tuple[ReferenceOutcomes, ...]:
    return tuple(
        ReferenceOutcomes(
            role=reference.role,
            artifact_digest=reference.artifact.file.digest,
            outcomes=work.keep_bytes(seen[reference.role].to_bytes(), f"{reference.role}-outcomes.npz"),
        )
        for reference in request.references
    )


def _say(
    request: EvaluateRequest, work: Work, outcomes: Outcomes, clusters: Clusters | None, available: int, speed: str
) -> None:
    variant, count = request.artifact.variant, len(outcomes)
    if request.stopping is not None:
        ended = "decided after" if count < available else "went to the end,"
        work.say("evaluate %s: %s %s of %s samples", variant, ended, f"{count:,}", f"{available:,}")
    value = "" if outcomes.score is None else f" {outcomes.score.mean():.4f}"
    where = f"{count:,} samples" + ("" if clusters is None else f" in {len(clusters):,} clusters")
    work.say("evaluate %s: %s%s on %s, %s", variant, request.metric, value, where, speed)
    groups = 0 if outcomes.group is None else len(np.unique(outcomes.group))
    if clusters is not None and len(clusters) < groups:
        joined = f"{groups:,} groups are {len(clusters):,} clusters: some have a copy of the same sample"
        work.say("evaluate %s: %s", variant, joined)
