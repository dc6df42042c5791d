"""What a warm parent loads for the steps that it will be forked for; see `litegate.execution.warm`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from litegate.engines import ENGINES
from litegate.runtimes import RUNTIMES
from litegate.steps import STEPS

__all__ = ["modules_of", "preload"]

_INSIDE_FUNCTIONS = {
    "tensorflow": ("tensorflow", "tf_keras", "litegate.source.conversion", "litegate.source.loading"),
    "service": (
        *("mlflow", "mlflow.tracking.request_header.registry"),
        *("securesystemslib.dsse", "in_toto_attestation.v1.statement"),
    ),
}
"""What steps import only where they need it. Importing it runs nothing: no TensorFlow operator, no connection."""


def preload(environment: str) -> None:
    """Import all that the steps of an environment do, or that one step does, but for what their users alone know."""
    for module in modules_of(environment):
        import_module(module)
    if environment == "service":
        import_module("litegate.flavor.asked_once").ask_once()


def modules_of(environment: str) -> Iterator[str]:
    """All that the steps of an environment import and that is installed there, or what one step does by its name."""
    yield from ("litegate.steps.child", *_INSIDE_FUNCTIONS.get(environment, ()))
    if environment in STEPS:
        yield f"litegate.steps.{environment}"
    yield from (row.module for row in ENGINES.values() if row.environment == environment and row.installed)
    yield from (row.module for row in RUNTIMES.values() if row.environment == environment and row.installed)
    for name, step in STEPS.items():
        if step.environment == environment and not step.storage:
            yield f"litegate.steps.{name}"
