"""A row of `make bench`: how long a warm step takes to begin, against importing TensorFlow.

The first is the time from asking for a step until its own code runs, in a fork of a warm parent of the environment with
TensorFlow: looking its result up, its folder and its confinement are part of it. The second is a new interpreter that
imports TensorFlow where all that litegate needs is installed, as it would be in one environment for everything.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import sysconfig
import time
from pathlib import Path

from litegate.execution.warm.keeping import kept

from litegate.execution.step_run import StepRun
from litegate.records import ProduceRequest
from litegate.settings import Settings, settings
from litegate.steps import STEPS
from tests.benchmarks.bench_context import Bench

__all__ = ["step_startup"]

CODE = """
import sys, time
def begin(folder, at):
    began = time.time()
    if "tensorflow" not in sys.modules:
        raise RuntimeError("it was started cold")
    path = folder / "began"
    path.write_text(f"{began} {at}")
    return path
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
        _warm_start(folder, python, -1)  # it has loaded all once this ends
        for number in range(rounds):
            warm.append(_warm_start(folder, python, number))
            cold.append(bench.command(python, "-c", f"import sys; sys.path.append({_site()!r}); import tensorflow"))
    print(f"warm {warm}, import tensorflow {cold}")
    return statistics.median(warm) / statistics.median(cold)


def _warm_start(folder: Path, python: Path, number: int) -> float:
    """Seconds until the step's own code ran."""
    step = dataclasses.replace(STEPS["prepare"], storage=False)  # confined, as every step that loads a model
    own = (folder / "cache", folder / "scratch", {"service": python})
    places = Settings(str(folder / "workspace"), *own, (), "warm", folder / "warm")
    out = folder / f"out-{number}"
    request = ProduceRequest(entry_point="beginning:begin", folder=str(folder), arguments={"at": number}, uri=str(out))
    begin = time.time()
    StepRun(step, request, places).run()
    return float(out.read_text().split()[0]) - begin


def _site() -> str:
    """Where all else is installed."""
    return sysconfig.get_path("purelib")
