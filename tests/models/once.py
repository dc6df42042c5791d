"""Files that take TensorFlow long to make: made once, and copied for each test process that uses them."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from litegate.digest import digest_json
from litegate.execution.installed import Installed
from litegate.settings import settings

__all__ = ["Maker"]


class Maker:
    """Runs programs of TensorFlow's environment that write files, unless they ran before, in whichever test process.

    Args:
        kept: folder of what was made, by the digest of the program and of what is installed.
    """

    def __init__(self, kept: Path) -> None:
        self._kept, self._python = kept, settings().pythons["tensorflow"]

    def make(self, folder: Path, *command: str, sources: tuple[Path, ...] = ()) -> Path:
        """Fill an empty folder, which is the tests' own to change.

        Args:
            command: arguments for Python; `{folder}` stands for the folder that is written to.
            sources: the files that the program consists of.
        """
        made = self._kept / digest_json([command, [file.read_text() for file in sources], self._installed()])
        with made.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                self._run(made, command)
        return Path(shutil.copytree(made, folder, dirs_exist_ok=True))

    def _installed(self) -> list[str]:
        return Installed(self._python).everything

    def _run(self, made: Path, command: tuple[str, ...]) -> None:
        half = made.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        arguments = [argument.replace("{folder}", str(half)) for argument in command]
        done = subprocess.run([self._python, *arguments], env=quiet, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        half.rename(made)
