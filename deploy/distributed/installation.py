"""What is installed on a host: Python environments of its own, with litegate and users' packages as wheels."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

__all__ = ["ROOT", "build_wheel", "environment"]

ROOT = Path(__file__).parents[2]


def build_wheel(into: Path) -> Path:
    """The wheel of this checkout."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = into.glob("litegate-*.whl")
    return wheel


def environment(folder: Path, locked: Path, wheels: Iterable[Path]) -> Path:
    """An environment that has these wheels, and sees what a locked one has.

    The locked one is large and the same for all hosts, so that it is not copied; an editable install in it is not seen,
    for Python reads `.pth` files of the environment alone that it runs in.

    Returns:
        Its Python.
    """
    subprocess.run([locked / "bin" / "python", "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    (others,) = locked.absolute().glob("lib/python3*/site-packages")
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
    (packages / "locked.pth").write_text(f"{others}\n")
    return folder / "bin" / "python"
