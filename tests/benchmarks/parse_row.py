"""How long Airflow parses `dags/litegate_dags.py` with 50 specs beside it, in seconds.

In a process that has imported what the stack's DAG processor has imported when it forks: `litegate_airflow.server`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.bench_context import Bench
from tests.benchmarks.real_model import ROOT

__all__ = ["parse_50_specs_s"]

SPECS = 50
PARSE = """
import runpy, sys, time
import litegate_airflow.server
begin = time.perf_counter()
runpy.run_path(sys.argv[1])
print(time.perf_counter() - begin)
"""


def parse_50_specs_s(bench: Bench) -> float:
    """Seconds of the first parse in a process."""
    specs = bench.size(SPECS, 5)
    with tempfile.TemporaryDirectory(prefix="litegate-bench-") as folder:
        dags = Path(folder, "dags")
        shutil.copytree(ROOT / "dags", dags)
        own = dags / "examples" / "digits.yaml"
        for number in range(specs):
            text = own.read_text().replace("name: digits", f"name: digits-{number}", 1)
            Path(dags, "model_specs", f"digits-{number}.yaml").write_text(text)
        home = {"AIRFLOW_HOME": folder, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        command = [sys.executable, "-c", PARSE, str(dags / "litegate_dags.py")]
        done = subprocess.run(command, env=os.environ | home, check=True, capture_output=True, text=True)
        return float(done.stdout.splitlines()[-1])
