"""Recovery: which operators of a quantized file may have another precision, and how long they are searched for."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from litegate.spec.section import Section
from litegate.variants import TARGETS, Target

__all__ = ["BASES", "Base", "Precision", "Recover", "recover_defaults", "recover_problem"]

Base = Literal["int8_float_fallback", "int8", "dynamic_range"]
Precision = Literal["float32", "int16x8", "int4"]

BASES: tuple[Base, ...] = ("int8_float_fallback", "int8", "dynamic_range")
_LIFTING: tuple[Precision, ...] = ("float32", "int16x8")


class Recover(Section):
    """Makes one more file, `recovered`: 8 bits, but for single operators that need another precision.

    Which ones is searched on the calibration samples alone. The file is then judged once, like any other.
    """

    base: Base = Field(
        "int8_float_fallback",
        description="What all operators begin with; `int8` if it is left out for a target that computes on integers "
        "alone. Where this variant passes, nothing is recovered; where it is not among `variants`, where any passes.",
    )
    equalize: bool = Field(
        True,
        description="Begin with the channels of layers that follow each other brought to like ranges, where that does "
        "not change what float32 computes and makes the base file better. It costs no byte.",
    )
    correct_bias: bool = Field(
        True,
        description="In the end take back by the biases of layers what rounding does to their channels on average, "
        "where that makes the file better. It costs no byte.",
    )
    budget_minutes: float = Field(
        10.0, gt=0, le=25, description="Minutes after which the search ends with the best that it has found."
    )
    max_steps: int = Field(20, ge=1, le=200, description="How many times something is changed, and kept if it helps.")
    may_use: list[Precision] = Field(
        ["float32"],
        description="What single operators may have in place of 8 bits: `float32`, `int16x8` (16-bit activations, "
        "which take fewer bytes and run on slow kernels on a CPU), `int4` (4-bit weights, which make the file smaller "
        "and never better). If left out for a target that computes on integers alone, which never gets float "
        "operators, it is `int16x8`.",
    )
    max_disagreement: float | None = Field(
        None,
        ge=0,
        le=1,
        description="The search is content where float32 and the file disagree on at most this share of the samples "
        "that it is tuned on; half of `gate.max_drop` if null, for the gate asks for a proof. For models that do not "
        "classify: the root mean square error of the outputs as a share of float32's root mean square; 0.05 if null.",
    )

    @field_validator("may_use")
    @classmethod
    def _something_each_once(cls, value: list[Precision]) -> list[Precision]:
        if not value or len(set(value)) != len(value):
            raise ValueError("at least one precision, none of them twice")
        return value


def recover_defaults(target: Any) -> dict[str, Any]:
    """What a spec that leaves it out gets for a target, by the target's name, where that is not the sections' own."""
    known = TARGETS.get(str(target))
    return {"base": "int8", "may_use": ["int16x8"]} if known is not None and known.integers else {}


def recover_problem(recover: Recover, name: str) -> tuple[str, str, str] | None:
    """What does not fit the target: the key, what was expected and what was found; None if all fits."""
    target = TARGETS[name]
    bases = [base for base in BASES if base in target.runnable]
    able = [precision for precision in (*_LIFTING, "int4") if _runs(target, precision)]
    if not bases or not set(able) & set(_LIFTING):
        return "recover", f"null for the target {name}, which runs no file of mixed precision", "a search for one"
    if recover.base not in bases:
        return "recover.base", f"one that {name} runs ({', '.join(bases)})", recover.base
    for precision in recover.may_use:
        if precision not in able:
            why = " and computes on integers alone" if target.integers else ""
            return "recover.may_use", f"what {name} runs ({', '.join(able)}){why}", precision
    return None


def _runs(target: Target, precision: str) -> bool:
    return not target.integers if precision == "float32" else precision in target.runnable
