"""What MLflow asks of this environment in every process, and remembers there: answered before a process is forked.

With each request it tries to import what a notebook of Databricks has, to know whether it is in one. Python remembers
no import that fails, and looks through all folders again: a sixth of the time of a step that records eight variants.
With the first model it reads the file lists of all installed packages, for another tenth of it.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from mlflow.utils.requirements_utils import warn_dependency_requirement_mismatches

from litegate.flavor.saving import get_default_pip_requirements

__all__ = ["ask_once"]

_OF_A_NOTEBOOK = ("IPython", "dbruntime", "pyspark")


def ask_once() -> None:
    """Ask, for this process and those that it forks. What is not installed now is not looked for again."""
    for name in _OF_A_NOTEBOOK:
        if find_spec(name) is None:
            sys.modules[name] = None  # type: ignore[assignment]  # by which Python knows that it is not there
    warn_dependency_requirement_mismatches(get_default_pip_requirements())
