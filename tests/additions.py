"""A copy of litegate's source with an addition, and its steps run as they are run of the source itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import litegate
from litegate.records import Record
from litegate.settings import Settings
from litegate.steps import STEPS

SOURCE = Path(litegate.__file__).parent

RUN = """
import sys
from pathlib import Path
from litegate.execution.step_run import StepRun
from litegate.settings import Settings, settings
from litegate.steps import STEPS

name, request, workspace, cache, scratch = sys.argv[1:]
step = STEPS[name]
places = Settings(workspace, Path(cache), Path(scratch), settings().pythons)
print(StepRun(step, step.request.model_validate_json(request), places).run().model_dump_json())
"""


class Addition:
    """litegate with a module and a row more.

    Args:
        folder: where the copy is to be.
        module: the new module's path in litegate's folder.
        text: its source.
        registry: path of the module with the rows.
        row: the new one, which goes before the first.
    """

    def __init__(self, folder: Path, module: str, text: str, registry: str, row: str) -> None:
        self.folder = folder
        root = folder / "litegate"
        shutil.copytree(SOURCE, root, ignore=shutil.ignore_patterns("__pycache__"))
        (root / module).write_text(text)
        before, begin, after = (root / registry).read_text().partition("        for row in (\n")
        assert begin, f"{registry}: there are no rows"
        (root / registry).write_text(f"{before}{begin}            {row},\n{after}")

    def run(self, step: str, request: Record, places: Settings) -> Any:
        """A step's result, from a process of its own that starts the step's confined child."""
        given = [step, request.model_dump_json(), places.workspace, str(places.cache), str(places.scratch)]
        environment = os.environ | {"PYTHONPATH": str(self.folder)}
        environment["LITEGATE_TENSORFLOW_PYTHON"] = str(places.pythons["tensorflow"])
        done = subprocess.run(
            [sys.executable, "-c", RUN, *given], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return STEPS[step].result.model_validate_json(done.stdout)
