"""The pipeline up to the selected variant, in child processes of this process: no server, no scheduler."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any

from litegate.diagnosis import kind_of, message_of
from litegate.errors import BadInput, StepFailed
from litegate.execution.step_run import StepRun
from litegate.failures import FailureKind
from litegate.pipeline.memory import ResultsInMemory
from litegate.pipeline.names import named
from litegate.pipeline.requests import calibrated_variants, request_of, selection_of
from litegate.records import Failure, Record, ResolveRequest
from litegate.settings import Settings
from litegate.steps import STEPS
from litegate.variants import BASELINE

__all__ = ["LocalRun", "Watcher"]

Watcher = Callable[[str, str, str], None]
"""Gets a step, the variant that it works on (empty: none) and `running`, `success`, `found` or `failed`.

`found` is the result of an earlier run. Steps run in several threads, which call it one at a time.
"""

Job = tuple[str, str]
"""A step and the variant that it works on."""

_UPFRONT = ("convert", "sample")
_CHECKS: tuple[Job, ...] = (("lint", ""), ("conversion_check", ""), ("inspect", BASELINE), ("smoke", BASELINE))
_OF_A_FILE = ("quantize", "inspect", "smoke")
_AT_ONCE = 4
"""A conversion takes up to ten times the model's size in memory, so that more cores need not help."""


class LocalRun:
    """One run of the pipeline for a spec. A variant that fails takes no other along.

    What does not use all cores by itself runs beside others; latency is measured while nothing else runs. Results of
    earlier runs with the same inputs are used, whoever made them.

    The champion is MLflow's, so `gate.max_drop_from_champion` has to be null.

    Args:
        request: the spec and the folder that its paths are relative to.
        places: where the workspace is, and the Python environments.
        watch: is told how it goes on.
    """

    def __init__(self, request: ResolveRequest, places: Settings, watch: Watcher = lambda *_: None) -> None:
        self.request, self.places, self.watch = request, places, watch
        self.results = ResultsInMemory()
        self._running: set[StepRun] = set()
        self._lock, self._telling, self._stopped = Lock(), Lock(), False
        self._workers = max(1, min(os.cpu_count() or 1, _AT_ONCE))

    @property
    def steps(self) -> int:
        """How many steps it has, if none fails."""
        variants = len(self.request.spec.quantized_variants)
        calibrations = 1 if calibrated_variants(self.request.spec) else 0
        return 1 + len(_UPFRONT) + len(_CHECKS) + calibrations + variants * len(_OF_A_FILE) + 2 * (1 + variants) + 1

    def run(self) -> ResultsInMemory:
        """Run it to the selection.

        Returns:
            The results, verdicts and selection among them.

        Raises:
            BadInput: the spec, the model or the data cannot be used.
            StepFailed: a step that every variant needs failed.
        """
        try:
            self._step("resolve", "", self.request)
            for step in _UPFRONT:
                self._step(step)
            variants = self.request.spec.quantized_variants
            self._side_by_side([partial(self._step, step, variant) for step, variant in _CHECKS])
            calibrated = calibrated_variants(self.request.spec)
            files = {name: partial(self._chain, _OF_A_FILE, name) for name in variants}
            others = [files.pop(name) for name in variants if name not in calibrated]
            self._side_by_side([self._calibrate, *others] if calibrated else others)
            self._side_by_side(list(files.values()))
            for step in ("evaluate", "benchmark"):
                self._baseline(step)
                for name in self._alive(variants):
                    self._chain((step,), name)
            self._step("gate")
            self.results.keep("select", "", selection_of(self.results))
        except BaseException:
            self.stop()
            raise
        return self.results

    def stop(self) -> None:
        """End what runs, and begin nothing more."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for each in running:
            each.kill()

    def _baseline(self, step: str) -> None:
        """Nothing can be judged without its evaluation; without its latency all but latency can."""
        try:
            self._step(step, BASELINE)
        except StepFailed:
            if step == "evaluate" or self._stopped:
                raise

    def _calibrate(self) -> None:
        """Once for all variants; each calibrates by itself if that fails, and has its own failure then."""
        try:
            self._step("calibrate")
        except (BadInput, StepFailed):
            if self._stopped:
                raise

    def _alive(self, variants: Iterable[str]) -> list[str]:
        failed = {failure.variant for failure in self.results.failures()}
        return [name for name in variants if name not in failed]

    def _chain(self, steps: Sequence[str], variant: str) -> None:
        """One step after the other for a variant; the first that fails is its last."""
        for step in steps:
            try:
                self._step(step, variant)
            except (BadInput, StepFailed) as error:
                if self._stopped:
                    raise
                failure = Failure(step=step, kind=kind_of(error), message=message_of(error), variant=variant)
                self.results.keep_failure(failure)
                return

    def _step(self, step: str, variant: str = "", request: Record | None = None) -> None:
        self._tell(step, variant, "running")
        try:
            run = StepRun(STEPS[step], request or request_of(step, self.results, variant), self.places)
            with self._held(run):
                found = run.find()
                result = run.run() if found is None else found
        except BaseException:
            self._tell(step, variant, "failed")
            raise
        self.results.keep(step, variant, named(run.request, result))
        self._tell(step, variant, "success" if found is None else "found")

    def _tell(self, step: str, variant: str, state: str) -> None:
        with self._telling:
            self.watch(step, variant, state)

    @contextmanager
    def _held(self, run: StepRun) -> Iterator[None]:
        with self._lock:
            if self._stopped:
                raise StepFailed(run.step.name, FailureKind.INTERRUPTED, "not begun, for the run was stopped")
            self._running.add(run)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(run)

    def _side_by_side(self, jobs: Sequence[Callable[[], Any]]) -> None:
        """As many at once as there are cores; the first error ends all of them."""
        with ThreadPoolExecutor(self._workers) as pool:
            futures = [pool.submit(job) for job in jobs]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:  # an interrupt comes here too, while the threads wait for their children
                self.stop()
                raise
