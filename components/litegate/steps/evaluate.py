"""Step `evaluate`: run .tflite files over the evaluation data and keep the outcome of every sample.

An evaluation that may end early visits the samples in a seeded random order, block by block, and runs the files
that the variant is compared with in lockstep, so that what was seen at any time is a random sample of pairs. What
other workers have found on shards of the samples is merged, and not evaluated again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from litegate.evaluation.asked import timed_on_device
from litegate.evaluation.beside import Beside, control_outcomes, host_outcomes, kept, reference_outcomes
from litegate.evaluation.blocks import Plan
from litegate.evaluation.kept import Kept, Seen
from litegate.evaluation.loaded import Loaded
from litegate.evaluation.one_pass import OnePass, Part
from litegate.evaluation.plans import counted
from litegate.evaluation.setup import Setup
from litegate.evaluation.shards import merge
from litegate.outcomes.clusters import Clusters
from litegate.records import EvaluateFilesRequest, EvaluateRequest, FileEvaluation, FileEvaluations, FileFailure
from litegate.work.step_work import Work

__all__ = ["run"]

Result = FileEvaluation | FileFailure


def run(request: EvaluateFilesRequest, work: Work) -> FileEvaluations:
    """Evaluate every file of the request; one that fails takes no other along.

    Raises:
        DataError: the data cannot be read or does not fit the model or the metric.
        SpecError: the user's metric cannot be used.
        StepFailed: a process died of the data or the user's code.
    """
    loaded = Loaded(request.files, work)
    return FileEvaluations(files=loaded.together(lambda files: _Evaluating(files, loaded, work).run()))


class _Evaluating:
    """One pass for files that take and give the same."""

    def __init__(self, files: Mapping[int, EvaluateRequest], loaded: Loaded, work: Work) -> None:
        self._files, self._loaded, self._work = files, loaded, work
        self._setup = Setup(files, loaded, work)
        self._parts = self._setup.parts

    def run(self) -> dict[int, Result]:
        """What each of the files comes to, by its place in the request."""
        with tempfile.TemporaryDirectory(dir=self._work.folder) as folder:
            outcomes = Kept(Path(folder), self._setup.dataset)
            merged = {at for at, file in self._files.items() if merge(file, self._parts[at], outcomes, self._work)}
            left = [part for at, part in self._parts.items() if at not in merged]
            samples = max((len(part.plan.order) for part in left), default=0)
            pool, progress = self._setup.pool(samples, f"evaluate {', '.join(part.name for part in left)}")
            with pool:
                whole = OnePass(pool, list(self._parts.values()), self._setup.metric.facts, outcomes)
                whole.run()
            taken = {at: sum(shard.seconds for shard in self._files[at].shards) for at in merged}
            return {
                at: self._result(file, whole, self._parts[at], taken.get(at, progress.seconds))
                for at, file in self._files.items()
            }

    def _result(self, file: EvaluateRequest, whole: OnePass, part: Part, seconds: float) -> Result:
        failed = self._loaded.failure(file, part.control is not None, whole.pool.failures)
        if failed is not None:
            return failed
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
            metric=self._setup.metric.facts,
            samples=len(outcomes),
            available=len(plan.order),
            outcomes=kept(self._work, outcomes, "outcomes.npz"),
            class_samples=dict(plan.class_samples),
            slice_samples={field: dict(values) for field, values in plan.slice_samples.items()},
            predictions=counted(outcomes.parts("prediction")),
            classes=self._setup.dataset.classes,
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
