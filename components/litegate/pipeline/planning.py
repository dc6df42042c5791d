"""What a run would do, before it does it: which results are there, what would be computed, and about how long."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from litegate.errors import StepFailed
from litegate.execution.side_by_side import AT_ONCE
from litegate.execution.step_run import StepRun
from litegate.execution.times import label_of, stored_time
from litegate.pipeline.evaluation import evaluate_files_request
from litegate.pipeline.gate_requests import assessment_request
from litegate.pipeline.memory import ResultsInMemory
from litegate.pipeline.names import named
from litegate.pipeline.recoveries import assessment
from litegate.pipeline.requests import calibrated_variants, request_of
from litegate.pipeline.tasks import EACH, Job, task_of
from litegate.records import Evaluations, Record, ResolveRequest, Verdicts
from litegate.settings import Settings
from litegate.steps import STEPS
from litegate.storage.workspace import Workspace
from litegate.variants import BASELINE

__all__ = ["Plan", "Planned", "Planning"]


@dataclass(frozen=True)
class Planned:
    """A step, for a variant where it works on one.

    Attributes:
        found: whether an earlier run has left its result.
        seconds: what computing it took the last time; None where it is found, or no run has left a time.
    """

    job: Job
    found: bool
    seconds: float | None = None


@dataclass(frozen=True)
class Plan:
    """All steps from the model to the verdicts, in the order in which they would run.

    What is to be computed is so at most: a result that comes out as before makes those after it be found.

    Attributes:
        phases: steps that run side by side are chains of one phase; the phases follow each other.
    """

    phases: tuple[tuple[tuple[Planned, ...], ...], ...]

    @property
    def steps(self) -> tuple[Planned, ...]:
        """One after the other."""
        return tuple(step for chains in self.phases for chain in chains for step in chain)

    @property
    def to_compute(self) -> tuple[Planned, ...]:
        """Those without a result."""
        return tuple(step for step in self.steps if not step.found)

    @property
    def without_time(self) -> tuple[Planned, ...]:
        """Those that no earlier run has left a time of."""
        return tuple(step for step in self.to_compute if step.seconds is None)

    @property
    def seconds(self) -> float:
        """Of wall-clock time, as far as times are known: the longest chain of each phase, or what all cores need."""
        cores = max(1, min(os.cpu_count() or 1, AT_ONCE))
        found = 0.0
        for chains in self.phases:
            lengths = [sum(step.seconds or 0.0 for step in chain) for chain in chains] or [0.0]
            found += max(max(lengths), sum(lengths) / cores)
        return found


@dataclass
class Planning:
    """Looks for the results of a run to come; nothing is computed but what pins the inputs.

    Args:
        request: the spec and the folder that its paths are relative to.
        places: where the workspace is, and the Python environments.
    """

    request: ResolveRequest
    places: Settings
    _results: ResultsInMemory = field(default_factory=ResultsInMemory)

    def plan(self) -> Plan:
        """The plan.

        Raises:
            BadInput: the spec, the model or the data cannot be used.
        """
        resolved = StepRun(STEPS["resolve"], self.request, self.places).run()
        self._results.keep("resolve", "", resolved)
        variants = self.request.spec.first_variants
        before = [((self._step(Job(step)),),) for step in ("convert", "sample")]
        checks = [(self._step(job),) for job in task_of("lint").jobs]
        calibration = self._calibration()
        calibrated = all(step.found for step in calibration)
        chains = tuple(self._chain(name, calibrated) for name in variants)
        made = all(step.found for chain in chains for step in chain)
        measured = self._evaluations((BASELINE, *variants))
        complete = made and all(step.found for step in measured)
        recovered = [self._recovery(name, complete) for name in self.request.spec.recoveries]
        complete &= all(step.found for chain in recovered for step in chain)
        after = [((self._step(Job(step), complete),),) for step in ("benchmark", "gate")]
        checked = (*checks, calibration) if calibration else tuple(checks)
        return Plan((*before, checked, chains, (measured,), *((chain,) for chain in recovered), *after))

    def _calibration(self) -> tuple[Planned, ...]:
        return (self._step(Job("calibrate")),) if calibrated_variants(self.request.spec) else ()

    def _chain(self, variant: str, calibrated: bool) -> tuple[Planned, ...]:
        """The steps that make and look at one file; one that is calibrated is another without the calibration."""
        ready = calibrated or variant not in calibrated_variants(self.request.spec)
        return tuple(self._step(job, ready) for job in task_of("quantize", EACH).jobs_for(variant))

    def _recovery(self, name: str, ready: bool) -> tuple[Planned, ...]:
        """The steps that make and evaluate a file where others did not pass: of one that is not needed the first."""
        assess, *jobs, evaluate = task_of("quantize", name).jobs_for(name)
        verdicts = self._look_up("gate", assessment_request(self._results, name)) if ready else None
        if isinstance(verdicts, Verdicts):
            found = assessment(self.request.spec, name, verdicts)
            self._results.keep(assess.step, name, found)
            if not found.needed:
                return (Planned(assess, found=True),)
        made = tuple(self._step(job, ready=verdicts is not None) for job in jobs)
        return (Planned(assess, found=verdicts is not None), *made, *self._evaluations([evaluate.variant]))

    def _evaluations(self, variants: Iterable[str]) -> tuple[Planned, ...]:
        """Of each file by itself; a pass over the data takes as long as its share of the files of the last one."""
        time = stored_time(self._workspace, "evaluate", self._label())
        each = None if time is None else time.seconds / time.files
        return tuple(
            Planned(Job("evaluate", name), found, None if found else each)
            for name in variants
            for found in [self._is_evaluated(name)]
        )

    def _is_evaluated(self, variant: str) -> bool:
        try:
            request = evaluate_files_request(self._results, variant)
        except StepFailed:  # its file is yet to be made
            return False
        found = StepRun(STEPS["evaluate"], request, self.places).find()
        if found is None:
            return False
        evaluations = named(request, found)
        assert isinstance(evaluations, Evaluations)
        for each in evaluations.done:
            self._results.keep("evaluate", each.variant, each)
        return not evaluations.failures

    def _step(self, job: Job, ready: bool = True) -> Planned:
        """Look for the result of a step; without what it needs there is none to look for."""
        result = self._find(job) if ready else None
        if result is not None:
            self._results.keep(job.step, job.variant, result)
            return Planned(job, found=True)
        time = stored_time(self._workspace, job.step, self._label(job.variant))
        return Planned(job, found=False, seconds=time.seconds if time else None)

    def _find(self, job: Job) -> Record | None:
        try:
            request = request_of(job.step, self._results, job.variant)
        except StepFailed:
            return None
        return self._look_up(job.step, request)

    def _look_up(self, step: str, request: Record) -> Record | None:
        found = StepRun(STEPS[step], request, self.places).find()
        return None if found is None else named(request, found)

    @property
    def _workspace(self) -> Workspace:
        return Workspace(self.places.workspace, self.places.cache)

    def _label(self, variant: str = "") -> str:
        return label_of(self.request.spec.model.name, variant)
