"""A child process of this host ends with whoever waits for it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.components.execution.children import CODE


def test_a_child_ends_with_the_process_that_waits_for_it(tmp_path: Path, executor: str, warm: Path | None) -> None:
    """Nothing else can end it when that process is killed in a way that it cannot notice."""
    (tmp_path / "waits.py").write_text(WAITS)
    (tmp_path / "endings.py").write_text(CODE + SAYS_ITS_NUMBER)
    task = subprocess.Popen(
        [sys.executable, tmp_path / "waits.py", tmp_path, executor, warm or ""], stderr=subprocess.PIPE, text=True
    )
    assert task.stderr is not None
    child = int(next(line for line in task.stderr if line.startswith("number "))[7:])
    assert Path(f"/proc/{child}").exists()
    task.kill()
    task.wait()
    task.stderr.close()
    assert _ended(child)


WAITS = """
import logging, sys
from dataclasses import replace
from pathlib import Path
from litegate.records import ProduceRequest
from litegate.execution.step_run import StepRun
from litegate.settings import Settings
from litegate.steps import STEPS
logging.basicConfig(level=logging.INFO, format="%(message)s")
folder = sys.argv[1]
request = ProduceRequest(entry_point="endings:says", folder=folder, arguments={}, uri=folder + "/out")
pythons = {"service": Path(sys.executable)}
places = Settings(folder + "/ws", Path(folder, "cache"), Path(folder, "scratch"), pythons, (), *sys.argv[2:])
places = replace(places, warm=Path(places.warm) if places.warm else None)
StepRun(replace(STEPS["prepare"], storage=False, tracking=True), request, places).run()
"""


SAYS_ITS_NUMBER = """
def says(folder):
    print("number", os.getpid(), flush=True)
    time.sleep(600)
"""


def _ended(number: int) -> bool:
    for _ in range(50):
        if not Path(f"/proc/{number}").exists() or "\nState:\tZ" in Path(f"/proc/{number}/status").read_text():
            return True
        time.sleep(0.1)
    return False
