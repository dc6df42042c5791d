"""The policy: what a variant must keep, and which policies have a meaning for which metric."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from litegate.spec.choices import GateCode
from litegate.spec.inputs import Evaluation
from litegate.spec.metric_facts import MetricFacts, is_user_metric
from litegate.spec.section import Section

__all__ = ["Gate", "Limits", "gate_problem", "limits_problem"]


class Limits(Section):
    """What any file must keep of its baseline's accuracy; what is null is not asked for."""

    max_drop: float = Field(
        0.01,
        ge=0,
        description="Largest allowed loss of the metric against float32, in the metric's unit (0.01 of `top1` is one "
        "point). Where lower is better, a rise is a loss.",
    )
    drop: Literal["absolute", "relative"] = Field(
        "absolute",
        description="`relative`: `max_drop` is a share of the baseline's own value (0.01 is one percent of it). Not "
        "for metrics whose values may be negative; a baseline of 0 fails.",
    )
    confidence: float = Field(
        0.95,
        gt=0.5,
        lt=1,
        description="Confidence that the variant that is picked keeps every limit, however many were judged side by "
        "side.",
    )
    max_class_drop: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Largest allowed loss of any single class; not asked if null. Needs a metric that judges classes.",
    )
    max_slice_drop: float | None = Field(
        None,
        ge=0,
        description="Largest allowed loss of any single slice, in the metric's unit; that of `max_class_drop` if null. "
        "Needs `slices`.",
    )
    min_class_samples: int = Field(
        50,
        ge=1,
        description="Classes and slices with so many samples must be proved to keep `max_class_drop` and "
        "`max_slice_drop`. Rarer ones fail only where a loss beyond it is proved; the verdict names them. A field of "
        "slices without any value of so many samples is undecided.",
    )
    max_prediction_shift: float | None = Field(
        0.2,
        gt=0,
        le=1,
        description="By how much the share of one class in the predictions may grow or shrink against float32: a model "
        "that collapses to one class fails. Not asked if null. Only where the metric judges classes. A class that "
        "float32 predicts and the variant never does fails whatever is set here.",
    )
    min_value: float | None = Field(
        None,
        description="What the float32 baseline itself must reach (must not exceed, where lower is better); "
        "not asked if null.",
    )

    @property
    def slice_limit(self) -> float | None:
        """What a slice may lose."""
        return self.max_class_drop if self.max_slice_drop is None else self.max_slice_drop


class Gate(Limits):
    """What a variant must keep to be promoted; what is null is not asked for.

    Every clause must hold: a variant passes when each is proved at `confidence`, which holds for the variant
    that is picked in the end, however many were judged side by side.
    """

    max_drop_from_champion: float | None = Field(
        None,
        ge=0,
        description="Largest allowed loss against the version that carries the alias today, on the same samples, in "
        "the metric's unit; not asked if null. Without a champion there is nothing to lose.",
    )
    max_bytes: int | None = Field(None, ge=1, description="Largest file that may ship; any if null.")
    max_arena_bytes: int | None = Field(
        None,
        ge=1,
        description="Largest arena that the file may need on a microcontroller, by TensorFlow Lite Micro's own "
        "measure; not asked if null. Pointers of this host have 64 bits, so a 32-bit device needs no more.",
    )
    max_flash_bytes: int | None = Field(
        None,
        ge=1,
        description="Most bytes of flash that the file may take in the firmware of a microcontroller; for an Ethos-U "
        "those of the file that Vela compiles. Not asked if null.",
    )
    max_cpu_operators: int | None = Field(
        None,
        ge=0,
        description="How many operators Arm's compiler Vela may leave on the CPU beside an Ethos-U; not asked if null. "
        "A file of which it leaves all there fails whatever is set here.",
    )
    max_sram_bytes: int | None = Field(
        None,
        ge=1,
        description="Largest SRAM that Vela may estimate for an Ethos-U; not asked if null. Its estimate is of what "
        "runs there, so a file of which operators stay on the CPU fails.",
    )
    max_cycles: int | None = Field(
        None,
        ge=1,
        description="Most cycles of an inference that Vela may estimate for an Ethos-U, for the system that it "
        "assumes; not asked if null. A file of which operators stay on the CPU fails.",
    )
    min_size_ratio: float | None = Field(
        None, gt=0, description="How many times smaller than float32 the file must be; not asked if null."
    )
    max_latency_ratio: float | None = Field(
        None,
        gt=0,
        description="Largest latency as a share of float32's. Both are timed in turns on one host, and the upper bound "
        "of the share's 95 % interval must keep the limit; not asked if null.",
    )
    latency_host: str | None = Field(
        None, description="The host whose latency counts, by its name; whichever measured both if null."
    )
    integer_only: bool = Field(
        False,
        description="No operator inside may compute on floats, and no input or output may be float: read from the "
        "file's bytes.",
    )
    allow: list[GateCode] = Field(
        default_factory=list,
        description="What is only a warning here. `dead_output`: an output, or a column of one, has the same value for "
        "all samples, where float32's vary.",
    )
    on_reject: Literal["fail", "skip"] = Field(
        "fail", description="How a run ends in which nothing passes: `fail` (red) or `skip`."
    )


def gate_problem(evaluation: Evaluation, gate: Gate, facts: MetricFacts) -> tuple[str, str, str] | None:
    """What of a policy has no meaning for a metric: the key, what was expected and what was found; None if all fits."""
    problem = limits_problem("gate", gate, facts)
    if problem is not None:
        return problem
    limit = gate.max_drop_from_champion
    if limit is not None and facts.width is not None and limit > facts.width:
        return _too_large("gate.max_drop_from_champion", facts.width, facts, limit)
    if evaluation.slices and gate.slice_limit is None:
        return "gate.max_slice_drop", "what a slice of evaluation.slices may lose", "null"
    if gate.max_slice_drop is not None and not evaluation.slices:
        return "evaluation.slices", "the fields that gate.max_slice_drop is about", "none"
    if evaluation.sequential and not (facts.per_sample and facts.width is not None):
        return "evaluation.sequential", f"false for {facts.name}, which is not a bounded value of each sample", "true"
    if evaluation.first_samples is not None and not facts.per_sample:
        return "evaluation.first_samples", f"null for {facts.name}, which only a whole set has", "a number"
    return None


def limits_problem(section: str, limits: Limits, facts: MetricFacts) -> tuple[str, str, str] | None:
    """The same for the limits of a section of the spec."""
    width = 1.0 if limits.drop == "relative" else facts.width
    if width is not None and limits.max_drop > width:
        return _too_large(f"{section}.max_drop", width, facts, limits.max_drop)
    if facts.width is not None and limits.max_slice_drop is not None and limits.max_slice_drop > facts.width:
        return _too_large(f"{section}.max_slice_drop", facts.width, facts, limits.max_slice_drop)
    if limits.drop == "relative" and (facts.low is None or facts.low < 0):
        return f"{section}.drop", f"absolute for {facts.name}, whose values may be negative", "relative"
    if limits.max_class_drop is not None and not facts.classifies:
        return f"{section}.max_class_drop", _no_classes(facts), f"{limits.max_class_drop:g}"
    return None


def _no_classes(facts: MetricFacts) -> str:
    declared = "; one of your own says `classifies = True`" if is_user_metric(facts.name) else ""
    return f"null for {facts.name}, which judges no classes{declared}"


def _too_large(key: str, width: float, facts: MetricFacts, found: float) -> tuple[str, str, str]:
    return key, f"at most {width:g} for {facts.name} (0.01 is one point)", f"{found:g}"
