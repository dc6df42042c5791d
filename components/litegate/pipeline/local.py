"""The pipeline up to the selected variant, in child processes of this process: no server, no scheduler."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from threading import Event, Lock

from litegate.diagnosis import kind_of, message_of
from litegate.errors import BadInput, StepFailed
from litegate.execution.result_key import read_steps
from litegate.execution.side_by_side import StepRuns
from litegate.execution.step_run import StepRun
from litegate.execution.times import label_of
from litegate.execution.warm.keeping import another_parent, own_parent
from litegate.pipeline.evaluation import evaluate_files_request
from litegate.pipeline.gate_requests import assessment_request
from litegate.pipeline.memory import ResultsInMemory
from litegate.pipeline.names import named
from litegate.pipeline.recoveries import assessment
from litegate.pipeline.requests import calibrated_variants, request_of, selection_of
from litegate.pipeline.tasks import EACH, EACH_RECOVERY, Job, task_of
from litegate.records import EvaluateFilesRequest, Evaluations, Failure, Record, ResolveRequest, Verdicts
from litegate.settings import Settings
from litegate.steps import STEPS
from litegate.variants import BASELINE

__all__ = ["LocalRun", "Watcher"]

Watcher = Callable[[str, str, str], None]
"""Gets a step, the variant that it works on (empty: none) and `running`, `success`, `found`, `skipped`, `failed` or
`stopped`.

`found` is the result of an earlier run, `stopped` what was ended for another's sake. Steps run in several threads,
which call it one at a time.
"""

_UPFRONT = (Job("convert"), Job("sample"))
_CHECK, _QUANTIZE = task_of("lint"), task_of("quantize", EACH)
_REQUANTIZE = task_of("quantize", EACH_RECOVERY)
_STEPS = (
    *(job.step for job in (*_UPFRONT, *_CHECK.jobs, *_QUANTIZE.jobs)),
    *("calibrate", "evaluate", "benchmark", "gate"),
)


class LocalRun:
    """One run of the pipeline for a spec. A variant that fails takes no other along.

    What does not use all cores by itself runs beside others; latency is measured while nothing else runs. Results of
    earlier runs with the same inputs are used, whoever made them.

    The champion is MLflow's, so `gate.max_drop_from_champion` has to be null.

    Args:
        request: the spec and the folder that its paths are relative to.
        places: where the workspace is, and the Python environments.
        watch: is told how it goes on.
        warm: waits for a warm parent that its caller keeps, and says where it is; None to keep one here.
    """

    def __init__(
        self,
        request: ResolveRequest,
        places: Settings,
        watch: Watcher = lambda *_: None,
        warm: Callable[[], Settings] | None = None,
    ) -> None:
        self.request, self.places, self.watch, self._warm = request, places, watch, warm
        self.results = ResultsInMemory()
        self._runs, self._telling, self._calibration_ended = StepRuns(), Lock(), Event()

    @property
    def steps(self) -> int:
        """How many steps it has, if none fails."""
        spec = self.request.spec
        variants, recoveries = len(spec.first_variants), len(spec.recoveries)
        calibrations = 1 if calibrated_variants(spec) else 0
        before = 1 + len(_UPFRONT) + len(_CHECK.jobs) + calibrations
        return before + variants * len(_QUANTIZE.jobs) + (1 + variants) + recoveries * len(_REQUANTIZE.jobs) + 2

    def run(self) -> ResultsInMemory:
        """Run it to the selection.

        Returns:
            The results, verdicts and selection among them.

        Raises:
            BadInput: the spec, the model or the data cannot be used.
            StepFailed: a step that every variant needs failed.
        """
        with ExitStack() as stack:
            warm = self._warm or stack.enter_context(own_parent("tensorflow", self.places))
            try:
                self._step(Job("resolve"), self.request)  # while the parent loads what the others need
                self.places = replace(self.places, warm=warm().warm)
                read_steps(_STEPS)
                stack.enter_context(another_parent("gate", "service", self.places))
                self._after_resolve()
            except BaseException:
                self.stop()
                raise
        return self.results

    def _after_resolve(self) -> None:
        for job in _UPFRONT:
            self._step(job)
        self._check_and_quantize()
        self._evaluate(evaluate_files_request(self.results))
        for name in self.request.spec.recoveries:
            self._recover(name)
        self._benchmark(self._alive(self.results.judged_variants()))
        self._step(Job("gate"))
        self.results.keep("select", "", selection_of(self.results))

    def stop(self) -> None:
        """End what runs, and begin nothing more."""
        self._runs.stop()

    def _check_and_quantize(self) -> None:
        """Side by side, in the order in which they begin; a check that fails ends what is being quantized."""
        calibrated = calibrated_variants(self.request.spec)
        calls: dict[Hashable, Callable[[], None]] = {"calibrate": self._calibrate} if calibrated else {}
        calls |= {job: partial(self._step, job) for job in _CHECK.jobs}
        # Those that wait for nothing, then those whose kernels are the slowest.
        first = sorted(self.request.spec.first_variants, key=lambda name: (name in calibrated, not _in_16_bits(name)))
        calls |= {name: partial(self._quantize, name, name in calibrated) for name in first}
        self._side_by_side(calls)

    def _calibrate(self) -> None:
        """Once for all variants; each calibrates by itself if that fails, and has its own failure then."""
        try:
            self._step(Job("calibrate"))
        except (BadInput, StepFailed):
            if self._runs.stopped:
                raise
        finally:
            self._calibration_ended.set()

    def _quantize(self, name: str, calibrated: bool) -> None:
        if calibrated:
            self._calibration_ended.wait()
        self._chain(_QUANTIZE.jobs_for(name))

    def _recover(self, name: str) -> None:
        """Make and evaluate one more file, where those before it did not pass."""
        assess, *jobs, evaluate = _REQUANTIZE.jobs_for(name)
        verdicts = self._run(assess, "gate", assessment_request(self.results, name))
        assert isinstance(verdicts, Verdicts)
        found = assessment(self.request.spec, name, verdicts)
        self.results.keep(assess.step, name, found)
        if not found.needed:
            for job in (*jobs, evaluate):
                self._tell(job, "skipped")
            return
        self._chain(jobs)
        if self._alive([name]):
            self._evaluate(evaluate_files_request(self.results, name))

    def _evaluate(self, request: EvaluateFilesRequest) -> None:
        """Files in one pass over the data; nothing can be judged without the baseline."""
        run = StepRun(STEPS["evaluate"], request, self.places, label=self._label())
        with self._runs.held(run):
            found = dict(zip((file.artifact.variant for file in request.files), run.find_each(), strict=True))
            missing = [name for name, result in found.items() if result is None]
            for name in found:
                self._tell(Job("evaluate", name), "running")
            try:
                evaluations = named(request, run.run())
            except BaseException:
                for name in found:
                    self._tell(Job("evaluate", name), self._how_it_ended())
                raise
        assert isinstance(evaluations, Evaluations)
        for each in evaluations.done:
            self.results.keep("evaluate", each.variant, each)
            self._tell(Job("evaluate", each.variant), "success" if each.variant in missing else "found")
        for failure in evaluations.failures:
            self._tell(Job("evaluate", failure.variant or ""), "failed")
            if failure.variant == BASELINE:
                raise StepFailed("evaluate", failure.kind, failure.message)
            self.results.keep_failure(failure)

    def _benchmark(self, variants: Iterable[str]) -> None:
        """Time all files; where that fails as a whole, it has failed for every variant."""
        try:
            self._step(Job("benchmark"))
        except StepFailed as error:
            if self._runs.stopped:
                raise
            for name in variants:
                self._keep_failure(Job("benchmark", name), error)

    def _alive(self, variants: Iterable[str]) -> list[str]:
        failed = {failure.variant for failure in self.results.failures()}
        return [name for name in variants if name not in failed]

    def _chain(self, jobs: Iterable[Job]) -> None:
        """One step after the other for a variant; the first that fails is its last."""
        for job in jobs:
            try:
                self._step(job)
            except (BadInput, StepFailed) as error:
                if self._runs.stopped:
                    raise
                self._keep_failure(job, error)
                return

    def _keep_failure(self, job: Job, error: Exception) -> None:
        failure = Failure(step=job.step, kind=kind_of(error), message=message_of(error), variant=job.variant)
        self.results.keep_failure(failure)

    def _step(self, job: Job, request: Record | None = None) -> None:
        self.results.keep(job.step, job.variant, self._run(job, job.step, request))

    def _run(self, job: Job, step: str, request: Record | None) -> Record:
        """The result of a step for a job, found or computed."""
        self._runs.check(step)
        self._tell(job, "running")
        try:
            asked = request or request_of(step, self.results, job.variant)
            run = StepRun(STEPS[step], asked, self.places, label=self._label(job.variant))
            with self._runs.held(run):
                found = run.find()
                result = run.run() if found is None else found
        except BaseException:
            self._tell(job, self._how_it_ended())
            raise
        self._tell(job, "success" if found is None else "found")
        return named(run.request, result)

    def _how_it_ended(self) -> str:
        """Of what raised: by itself, or with all that ran."""
        return "stopped" if self._runs.stopped else "failed"

    def _label(self, variant: str = "") -> str:
        return label_of(self.request.spec.model.name, variant)

    def _tell(self, job: Job, state: str) -> None:
        with self._telling:
            self.watch(job.step, job.variant, state)

    def _side_by_side(self, calls: Mapping[Hashable, Callable[[], None]]) -> None:
        """The first error ends all of them."""
        with self._runs.side_by_side(calls) as ended:
            for _, future in ended:
                future.result()


def _in_16_bits(variant: str) -> bool:
    return variant.startswith("int16x8")
