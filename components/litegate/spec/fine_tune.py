"""Fine-tuning: the user's own training with quantization in the loop."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, JsonValue

from litegate.spec.section import EntryPoint, Section, address
from litegate.variants import TARGETS

__all__ = ["BASES", "Base", "FineTune", "fine_tune_defaults", "fine_tune_problem"]

Base = Literal["int8_float_fallback", "int8", "uint8"]

BASES: tuple[Base, ...] = ("int8_float_fallback", "int8", "uint8")


class FineTune(Section):
    """Makes one more file, `fine_tuned`: the model trained on with 8 bits simulated in it, and then quantized.

    The training is the user's own, on data of the user's own. The file is judged once, like any other.
    """

    entry_point: EntryPoint = Field(
        description="`package.module:function`, imported from beside the spec file or from the TensorFlow environment. "
        "It is called as `function(model, folder, **arguments)` and trains the Keras model in place; what it returns "
        "is not looked at. `folder` has the files of `data`.",
    )
    data: str = address(
        "The training data: a file, a folder or prefix, or a name with `*`, `?` and `**/` for many files. Never those "
        "that the file is judged on."
    )
    arguments: dict[str, JsonValue] = Field(default_factory=dict, description="The function's arguments by name.")
    base: Base = Field(
        "int8_float_fallback",
        description="The variant that the trained model is quantized as; `int8` if it is left out for a target that "
        "computes on integers alone.",
    )
    time_limit: int = Field(3600, ge=1, description="Seconds after which the training is ended, and has failed.")


def fine_tune_defaults(target: Any) -> dict[str, Any]:
    """What a spec that leaves it out gets for a target, by the target's name, where that is not the section's own."""
    known = TARGETS.get(str(target))
    return {"base": "int8"} if known is not None and known.integers else {}


def fine_tune_problem(fine_tune: FineTune, name: str) -> tuple[str, str, str] | None:
    """What does not fit the target: the key, what was expected and what was found; None if all fits."""
    bases = [base for base in BASES if base in TARGETS[name].runnable]
    if not bases:
        return "fine_tune", f"null for the target {name}, which runs no file of 8 bits", "a training for one"
    if fine_tune.base not in bases:
        return "fine_tune.base", f"one that {name} runs ({', '.join(bases)})", fine_tune.base
    return None
