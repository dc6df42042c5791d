"""Step `smoke`: run a file on a few samples before anything is measured on it.

In a process of its own, because that is how some files end: 16x8 models that convert and then abort at `invoke`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NoReturn

import numpy as np

from litegate.datasets.calibration import identity_of
from litegate.datasets.representative import load_samples
from litegate.errors import ModelError, StepFailed
from litegate.failures import FailureKind
from litegate.inspection.behaviour import FEW, KernelGap, answers, is_constant, kernel_gap, problem_of, unequal
from litegate.inspection.dead import dead_in_both, dead_outputs
from litegate.metrics.base import not_finite
from litegate.records import DeadOutput, FileSmokeRun, Placement, SmokeRequest
from litegate.runtimes import REFERENCE, load_compiler, load_runtime, runtime_row
from litegate.work.step_work import Work

__all__ = ["run"]

Array = np.ndarray[Any, np.dtype[Any]]
Answers = dict[str, Array]

_SAMPLES, _REPEATED = 32, 4
_HALF = ", computed in float16, which ends at 65,504"
_SECONDS = 20.0
"""For each of default and reference kernels; those are up to a hundred times slower."""


def run(request: SmokeRequest, work: Work) -> FileSmokeRun:
    """Load, allocate and invoke every signature.

    Raises:
        ModelError: the float32 baseline cannot be run, or answers with NaN or infinity.
        StepFailed: a variant does, or all its outputs are the same for all samples, or not the same for the same one,
            or others on other kernels.
    """
    samples = load_samples(work.path(request.samples.file))
    runs = [_Signature(request, work, key, samples[key]).run() for key in request.artifact.signatures]
    placement = _place(request, work)
    for warning in (warning for found in runs for warning in found.warnings):
        work.say("smoke %s: warning: %s", request.artifact.variant, warning)
    worst = max(runs, key=lambda found: found.kernel_difference or 0.0)
    work.say(
        "smoke %s: %d samples; kernels differ by %s", request.artifact.variant, worst.samples, worst.kernel_difference
    )
    warnings = tuple(dict.fromkeys(warning for found in runs for warning in found.warnings))
    dead = tuple(dead for found in runs for dead in found.dead)
    return worst.model_copy(update={"warnings": warnings, "dead": dead, "placement": placement})


def _place(request: SmokeRequest, work: Work) -> Placement | None:
    """By the target's compiler; float32, which is not for the device, is not compiled."""
    if not request.accelerator or request.baseline is None:
        return None
    content, folder = work.path(request.artifact.file).read_bytes(), work.folder / "compiled"
    folder.mkdir()
    try:
        placed = load_compiler(request.runtime).place(content, request.accelerator, folder)
    except RuntimeError as error:
        detail = f"{request.artifact.variant} cannot be compiled for {request.accelerator}: {_line(error)}"
        raise StepFailed("smoke", FailureKind.NOT_RUNNABLE, detail) from error
    kept = work.keep(placed.compiled, f"{request.accelerator}.tflite")
    found = Placement.model_validate(asdict(placed) | {"accelerator": request.accelerator, "compiled": kept})
    said = "smoke %s: %d of %d operators stay on the CPU; %d bytes of SRAM and %s cycles, as estimated by %s"
    cycles = "no" if found.cycles is None else f"{found.cycles:,}"
    left = len(found.on_cpu)
    work.say(said, request.artifact.variant, left, found.operators, found.sram_bytes, cycles, found.compiler)
    return found


class _Signature:
    """One signature of the file on its samples."""

    def __init__(self, request: SmokeRequest, work: Work, key: str, features: Mapping[str, Array]) -> None:
        self.request, self.work, self.key = request, work, key
        self.runtime = load_runtime(request.runtime)
        self.content = work.path(request.artifact.file).read_bytes()
        self.baseline = None if request.baseline is None else work.path(request.baseline.file).read_bytes()
        self.features = {name: value[:_SAMPLES] for name, value in features.items()}
        self.warnings: list[str] = []

    def run(self) -> FileSmokeRun:
        """Every check in turn."""
        found = self._default()
        same = is_constant(found)
        if same:
            self._constant(found)
        dead = () if same else self._dead(found)
        gap = self._kernels(found)
        facts = self.runtime.facts(self.content)
        return FileSmokeRun(
            artifact_digest=self.request.artifact.file.digest,
            samples=len(next(iter(found.values()))),
            constant=same,
            reference_samples=gap.samples if gap else 0,
            kernel_difference=gap and gap.difference,
            kernel_agreement=gap and gap.agreement,
            warnings=tuple(self.warnings),
            dead=dead,
            runtime=f"{self.request.runtime} {facts.version} ({facts.kernels})",
            arena_bytes=facts.arena and facts.arena.total,
            activation_bytes=facts.arena and facts.arena.activations,
        )

    def _default(self) -> Answers:
        """The answers on the kernels that a user gets, finite and the same each time."""
        try:
            model = self.runtime.load(self.content, self.key)
            found = answers(model, self.features, _SECONDS)
            again = answers(model, {name: value[:_REPEATED] for name, value in self.features.items()}, _SECONDS)
        except (RuntimeError, TypeError, ValueError) as error:
            title = runtime_row(self.request.runtime).title
            self._fail(FailureKind.NOT_RUNNABLE, f"{title} cannot run it: {_line(error)}")
        bad = not_finite(found)
        if bad is not None:
            detail = f"its output {bad[0]} is NaN or infinite for {self._sample(bad[1])}"
            self._fail(FailureKind.NOT_FINITE, f"{detail}{_HALF * ('float16' in model.kernels)}")
        if names := unequal(found, again):
            detail = f"its outputs {', '.join(names)} are others when the same samples come again: it keeps state"
            raise StepFailed("smoke", FailureKind.NOT_REPEATABLE, f"{self.request.artifact.variant}: {detail}")
        return found

    def _sample(self, position: int) -> str:
        request = self.request
        if request.baseline is not None:
            return "representative samples"
        count = request.samples.samples
        return f"calibration sample {identity_of(position, request.chosen, count, request.artifact, self.work)}"

    def _constant(self, found: Answers) -> None:
        """The same answer to everything: broken, unless the samples are few or the float32 model does so too."""
        rows = self._distinct(found)
        said = f"it gives the same outputs for all of {rows} different samples"
        if rows < FEW or self.baseline is None:
            self.warnings += [said] * (rows > 1)
        elif is_constant(self._answers(self.baseline)):
            self.warnings.append(f"{said}, and so does float32")
        else:
            half = _HALF * runtime_row(self.request.runtime).vulkan
            detail = f"{self.request.artifact.variant}: {said}, float32 does not{half}"
            raise StepFailed("smoke", FailureKind.CONSTANT, detail)

    def _dead(self, found: Answers) -> tuple[DeadOutput, ...]:
        """Outputs that say nothing any more while others do: the gate has the last word on them."""
        if self.baseline is None:
            return ()
        float32, trained = self._answers(self.baseline), self.request.trained
        distinct = self._distinct(found)
        if trained is None:
            dead = dead_outputs(found, float32, distinct)
        else:
            dead = dead_in_both(found, float32, self._answers(self.work.path(trained).read_bytes()), distinct)
        self.warnings += [str(each) for each in dead]
        return dead

    def _answers(self, content: bytes) -> Answers:
        return answers(self.runtime.load(content, self.key), self.features, _SECONDS)

    def _distinct(self, found: Answers) -> int:
        """How many of the samples that were run differ."""
        size = len(next(iter(found.values())))
        return len({tuple(value[index].tobytes() for value in self.features.values()) for index in range(size)})

    def _kernels(self, found: Answers) -> KernelGap | None:
        """Default against reference kernels, which not every file can be run on."""
        try:
            reference = answers(load_runtime(REFERENCE).load(self.content, self.key), self.features, _SECONDS)
        except (RuntimeError, TypeError, ValueError) as error:
            self.warnings.append(f"the reference kernels cannot run it: {_line(error)}")
            return None
        gap = kernel_gap(found, reference, self.request.classifies)
        variant = self.request.artifact.variant
        problem, broken = problem_of(gap, self.request.in_float)
        if problem and broken:
            raise StepFailed("smoke", FailureKind.KERNELS_DISAGREE, f"{variant}: {problem}")
        self.warnings += [problem] if problem else []
        return gap

    def _fail(self, kind: FailureKind, detail: str) -> NoReturn:
        """What is wrong with the baseline is wrong with the user's model."""
        if self.request.baseline is None:
            expected = "a model that LiteRT can run, with finite outputs"
            raise ModelError(f"model.uri {self.request.source}", expected, f"float32: {detail}")
        raise StepFailed("smoke", kind, f"{self.request.artifact.variant}: {detail}")


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
