"""litegate decides which quantized LiteRT file may ship.

    import litegate
    result = litegate.compare("spec.yaml")

The light core (`errors`, `spec`, `records`, `storage`, `gate`, ...) imports neither Airflow
nor TensorFlow nor MLflow; the modules of `litegate.steps` do the heavy work, each in a child process.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from litegate.comparison.front_door import Arrays, compare
    from litegate.errors import BadInput, DataError, LitegateError, ModelError, SpecError, StackError, StepFailed
    from litegate.records import BaselineSummary, ClassLoss, Clause, Comparison, SliceLoss, VariantRow
    from litegate.spec import Spec, load_spec

__version__ = "0.1.0"

_MODULES = {
    "litegate.comparison.front_door": ("Arrays", "compare"),
    "litegate.errors": (
        *("BadInput", "DataError", "LitegateError", "ModelError", "SpecError", "StackError"),
        "StepFailed",
    ),
    "litegate.records": ("BaselineSummary", "ClassLoss", "Clause", "Comparison", "SliceLoss", "VariantRow"),
    "litegate.spec": ("Spec", "load_spec"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Arrays",
    "BadInput",
    "BaselineSummary",
    "ClassLoss",
    "Clause",
    "Comparison",
    "DataError",
    "LitegateError",
    "ModelError",
    "SliceLoss",
    "Spec",
    "SpecError",
    "StackError",
    "StepFailed",
    "VariantRow",
    "compare",
    "load_spec",
]


def __getattr__(name: str) -> Any:
    """Names of the front door are loaded when they are used first: a step's child needs none of them."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)
