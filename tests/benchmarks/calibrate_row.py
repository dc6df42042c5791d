"""The row about calibration: all integer variants of a real model from one calibration, against a call for each."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

from litegate.settings import settings
from tests.benchmarks.bench_context import Bench

__all__ = ["calibrate_once"]

SCRIPT = Path(__file__).with_name("calibrating.py")


def calibrate_once(bench: Bench) -> float:
    """Wall time of all integer variants of MobileNetV2 from one calibration / by one converter call each.

    Raises:
        AssertionError: a file is not the converter's, byte for byte, which includes tensors, scales and zero points.
    """
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        command = [str(settings().pythons["tensorflow"]), str(SCRIPT), folder, "4" if bench.quick else "200"]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    print(found)
    assert not found["differ"], f"other bytes: {found['differ']}"
    return float(found["once"] / found["each"])
