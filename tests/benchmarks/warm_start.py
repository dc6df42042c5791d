"""How long a step takes to start, warm, against `import tensorflow` where everything is installed."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from litegate.execution.confinement import child_environment
from litegate.execution.executor import PreparedStep
from litegate.execution.executors.warm import WarmExecutor
from litegate.execution.sandbox import Confinement
from litegate.execution.warm.keeping import kept
from litegate.settings import settings
from litegate.steps import STEPS

__all__ = ["step_startup"]

_PROGRAM = """
import time
def run_step(name, folder, cache, missing):
    import tensorflow
    (folder / "begun").write_text(str(time.monotonic()))
    return 0
"""
_IMPORT = """
import sys, time
sys.path.append(sys.argv[1])
began = time.monotonic()
import tensorflow
print(time.monotonic() - began)
"""


def step_startup(repeats: int = 5) -> tuple[float, float]:
    """Median seconds from asking for a confined step until it could use TensorFlow, and those of the import."""
    pythons, step = settings().pythons, replace(STEPS["sample"], program="begins")
    warm, cold = list[float](), list[float]()
    everything = next(pythons["service"].parent.parent.glob("lib/python3*/site-packages"))
    with tempfile.TemporaryDirectory() as place, kept("tensorflow", pythons["tensorflow"], Path(place, "warm")) as wait:
        wait()
        _start(step, Path(place), pythons["tensorflow"])  # which waits until it has loaded
        for _ in range(repeats):
            warm.append(_start(step, Path(place), pythons["tensorflow"]))
            cold.append(_import(pythons["tensorflow"], everything))
    return statistics.median(warm), statistics.median(cold)


def _start(step, place: Path, python: Path) -> float:
    folder = Path(tempfile.mkdtemp(dir=place))
    (folder / "begins.py").write_text(_PROGRAM)
    given = Confinement(parent=os.getpid(), memory=4 << 30, file_size=1 << 30, confined=True, write=(str(folder),))
    given.save(folder / "confinement.json")
    ready = PreparedStep(step, folder, place, (), python, child_environment(step, folder), given, 600.0)
    executor = WarmExecutor(place / "warm", expected=True)
    began = time.monotonic()
    process = executor.start(ready, threading.Event())
    assert type(process).__name__ == "ForkedProcess", "it is warm"
    os.close(process.channel)
    code = process.code()
    with os.fdopen(process.output) as output:
        assert code == 0, output.read()
    return float((folder / "begun").read_text()) - began


def _import(python: Path, everything: Path) -> float:
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run([python, "-c", _IMPORT, everything], env=quiet, capture_output=True, text=True, check=True)
    return float(done.stdout)


if __name__ == "__main__":
    begins, imports = step_startup()
    print(f"step_startup: {begins:.3f} s warm, {imports:.3f} s import: {begins / imports:.4f}")
