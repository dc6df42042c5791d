"""What to try where a variant loses too much: what this very run has shown of the cause, and then what usually helps.

Nothing is blamed that the run did not check. What it can show: whether the data or the model hold values of very
different size (the calibration lint), and what variants with the same weights or with finer activations have lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from litegate.report.run import Row, Run
from litegate.variants import FINE_TUNED, RECOVERED

__all__ = ["after_a_loss", "uneven_values"]

_QAT = (
    "Train it for quantization (quantization-aware training), which recovers most of what is lost afterwards: name "
    "your training in `fine_tune` of the spec, docs/how-to/fine-tune.md."
)
_SELECTIVE = (
    "Let `recover` in the spec find the operators that do the harm, and keep those in another precision where the "
    "target runs it: docs/recovery.md."
)
CALIBRATION = "Calibrate on more, or more varied, samples (calibration.samples), and see the data findings below."
_KINDS = MappingProxyType({"uint8": "int8", "int8_float_fallback": "int8", "int16x8_float_fallback": "int16x8"})
_UNEVEN = frozenset({"large_constant", "large_values", "uneven_columns"})
_LOST = frozenset({"above_max_drop", "above_max_class_drop", "above_max_slice_drop"})

_USUAL = MappingProxyType(
    {
        "int8": (CALIBRATION, _SELECTIVE, _QAT),
        "dynamic_range": (
            "Its weights have 8 bits, and its operators round what they take to 8 bits as they run: float16 does "
            "neither.",
            _QAT,
        ),
        "float16": (
            "Half floats end at 65,504 and at about 6e-8: look for weights or activations beyond, and scale them.",
        ),
        "int16x8": (_QAT,),
        RECOVERED: (
            "See how it was recovered: tune on more calibration samples, ask for a smaller recover.max_disagreement, "
            "or allow float32 in recover.may_use.",
            _QAT,
        ),
        FINE_TUNED: (
            "See how it was fine-tuned: train longer, with a smaller learning rate, or on more data.",
            CALIBRATION,
        ),
    }
)


def after_a_loss(run: Run, name: str) -> tuple[str, ...]:
    """For a variant that loses too much, the most promising first."""
    kind = _KINDS.get(name, name)
    return (*uneven_values(run, name), *_compared(run, kind), *_USUAL.get(kind, ()))


def uneven_values(run: Run, name: str) -> Iterator[str]:
    """What the lint found that one scale cannot hold, where the variant has one for all of a tensor."""
    lint = run.request.lint
    if _KINDS.get(name, name) not in ("int8", "int16x8", "dynamic_range") or lint is None:
        return
    found = [finding for finding in lint.findings if finding.code in _UNEVEN]
    if found:
        where = ", ".join(dict.fromkeys(finding.input or "the model itself" for finding in found))
        codes = ", ".join(dict.fromkeys(finding.code for finding in found))
        yield (
            f"Begin with the values of very different size in {where} ({codes} among the data findings below): one "
            "scale cannot hold them."
        )


def _compared(run: Run, kind: str) -> Iterator[str]:
    """What the other variants of the run show."""
    if kind not in ("int8", "int16x8"):
        return
    weights = _state(run, "dynamic_range")
    if weights == "passed":
        yield (
            "dynamic_range passed, whose weights have 8 bits too: it is not the weights, but the ranges of inputs or "
            "activations."
        )
    elif weights == "lost":
        yield "dynamic_range loses too, without any calibration: look at the 8-bit weights before the calibration data."
    elif weights == "absent":
        yield "Ask for dynamic_range too, whose weights have 8 bits as well: it tells weights from activations."
    finer = {_state(run, name) for name in ("int16x8", "int16x8_float_fallback")} if kind == "int8" else set()
    if "passed" in finer:
        yield "int16x8 passed: take it, or keep the layers in float whose activations 8 bits cannot hold."
    elif finer == {"absent"}:
        yield "Try int16x8: activations in 16 bits keep what 8 bits round away, at about the same size."


def _state(run: Run, name: str) -> str:
    """What became of another variant: `absent`, `passed`, `lost`, or something that says nothing here."""
    rows: dict[str, Row] = {row.name: row for row in run.variants}
    if name not in rows:
        return "absent"
    lost = any(reason.code in _LOST for reason in rows[name].verdict.reasons)
    return "lost" if lost else rows[name].state
