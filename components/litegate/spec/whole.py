"""A whole spec: its sections, and what must fit together between them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from litegate.metrics.facts import built_in_facts
from litegate.spec.gate import Gate, gate_problem
from litegate.spec.inputs import Calibration, Evaluation, Model
from litegate.spec.registry import Registry
from litegate.spec.section import Cron, EntryPoint, Section, check_variant
from litegate.variants import BASELINE, TARGETS, VARIANTS

__all__ = ["Spec"]


class Spec(Section):
    """A whole spec; see `docs/spec.md` for each key."""

    model: Model
    calibration: Calibration
    evaluation: Evaluation
    preprocess: EntryPoint | None = None
    target: Literal["cpu", "gpu", "edgetpu", "microcontroller", "high_precision_integer"] = "cpu"
    variants: tuple[str, ...] = Field((), description="The variants to build and judge.")
    gate: Gate = Gate.model_validate({})
    select: Literal["smallest", "fastest", "most_accurate"] = Field(
        "smallest", description="Which of the variants that pass is promoted."
    )
    registry: Registry
    schedule: Cron | None = Field(None, description="A cron expression, or null: by the model's asset and by hand.")

    @model_validator(mode="before")
    @classmethod
    def _defaults_from_other_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        target = TARGETS.get(str(data.get("target", "cpu")))
        variants = data.get("variants")
        if variants is None and target:
            data["variants"] = target.default
        elif variants == "all":
            data["variants"] = tuple(VARIANTS)
        elif isinstance(variants, list):
            data["variants"] = tuple(variants)
        if isinstance(data.get("model"), dict):
            registry = data.get("registry")
            if registry is None or isinstance(registry, dict):
                data["registry"] = {"name": data["model"].get("name")} | (registry or {})
        return data

    @field_validator("variants")
    @classmethod
    def _variants_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            check_variant(name)
        if not set(value) - {BASELINE}:
            raise ValueError("at least one variant besides the float32 baseline")
        return tuple(dict.fromkeys(value))

    @model_validator(mode="after")
    def _something_can_run_on_the_target(self) -> Spec:
        runnable = TARGETS[self.target].runnable
        if not runnable & set(self.variants):
            raise PydanticCustomError(
                "named",
                "at least one that {target} can run ({runnable})",
                {"target": self.target, "runnable": ", ".join(sorted(runnable)), "got": ", ".join(self.variants)},
            )
        return self

    @model_validator(mode="after")
    def _gate_fits_the_metric(self) -> Spec:
        facts = built_in_facts(self.evaluation.metric)
        problem = facts and gate_problem(self.evaluation, self.gate, facts)
        if problem:
            key, expected, got = problem
            raise PydanticCustomError("named", "{expected}", {"expected": expected, "got": got, "key": key})
        return self

    @property
    def quantized_variants(self) -> tuple[str, ...]:
        """The variants to build besides the baseline, in the order of the spec."""
        return tuple(name for name in self.variants if name != BASELINE)
