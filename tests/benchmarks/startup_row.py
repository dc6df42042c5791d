"""A row of `make bench`: how long a warm step takes to begin, against importing TensorFlow.

The first is the time from asking for a step until its own code runs, in a fork of a warm parent of the environment with
TensorFlow: looking its result up, its folder and its confinement are part of it. The second is a new interpreter that
imports TensorFlow where all that litegate needs is installed, as it would be in one environment for everything.
"""

from __future__ import annotations

import dataclasses
import os
import re
import statistics
import sysconfig
import time
from pathlib import Path

from litegate.errors import StepFailed
from litegate.execution.step_run import StepRun
from litegate.execution.warm.keeping import kept
from litegate.records import ProduceRequest
from litegate.settings import Settings, settings
from litegate.steps import STEPS
from tests.benchmarks.bench_context import Bench

__all__ = ["step_startup"]

CODE = """
import sys, time
def begin(folder):
    began, warm = time.time(), "tensorflow" in sys.modules
    raise RuntimeError(f"{'warm' if warm else 'cold'} at {began!r}")  # a confined step may write to no place we know
"""


def step_startup(bench: Bench) -> float:
    """Both several times in turns; the ratio of their medians."""
    folder = bench.folder / "startup"
    folder.mkdir(parents=True)
    (folder / "beginning.py").write_text(CODE)
    os.environ["LITEGATE_READABLE"] = str(folder)  # nothing in the request says that the step may read its code
    python, rounds = settings().pythons["tensorflow"], bench.size(7, 2)
    warm, cold = [], []
    with kept("tensorflow", python, folder / "warm") as wait:
        wait()
        _warm_start(folder, python)  # it has loaded all once this ends
        for _ in range(rounds):
            warm.append(_warm_start(folder, python))
            cold.append(bench.command(python, "-c", f"import sys; sys.path.append({_site()!r}); import tensorflow"))
    print(f"warm {warm}, import tensorflow {cold}")
    return statistics.median(warm) / statistics.median(cold)


def _warm_start(folder: Path, python: Path) -> float:
    """Seconds until the step's own code ran."""
    step = dataclasses.replace(STEPS["prepare"], storage=False)  # confined, as every step that loads a model
    own = (folder / "cache", folder / "scratch", {"service": python})
    places = Settings(str(folder / "workspace"), *own, (), "warm", folder / "warm")
    uri = str(folder / "out")
    request = ProduceRequest(entry_point="beginning:begin", folder=str(folder), arguments={}, uri=uri)
    asked = time.time()
    try:
        StepRun(step, request, places).run()
    except StepFailed as failed:
        found = re.search(r"warm at ([\d.]+)", str(failed))
        if found is None:
            raise
        return float(found[1]) - asked
    raise RuntimeError("the step did not say when it began")


def _site() -> str:
    """Where all else is installed."""
    return sysconfig.get_path("purelib")
