"""Environments of one row: the wheel of this tree, installed as its users do, beside what its tests need."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.matrix.rows import Row

__all__ = ["Environments", "Failed", "find_python"]

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "deploy" / "locks"
EXTRAS = {".venv": "service", ".venv-tensorflow": "tensorflow"}
BESIDE = "targets,quantizer"
SHOWN = ("apache-airflow", "mlflow", "tensorflow", "ai-edge-litert", "numpy", "pydantic", "boto3")


class Failed(Exception):
    """A row cannot be made; its text says why."""


@dataclass(frozen=True)
class Environments:
    """Both environments of a row, side by side as `make setup` has them.

    Attributes:
        uv: the program that makes them.
        folder: of this row.
        log: takes what the programs print.
    """

    uv: str
    folder: Path
    log: Path

    @property
    def python(self) -> Path:
        """The interpreter of the service environment."""
        return self.folder / ".venv" / "bin" / "python"

    def make(self, row: Row, wheel: Path, python: str) -> None:
        """Make both anew.

        Raises:
            Failed: the versions do not fit together, or one cannot be installed.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        overrides = self.folder / "overrides.txt"
        overrides.write_text("".join(f"{each}\n" for each in row.versions))
        for name, extra in EXTRAS.items():
            pinned = self._pinned(row, extra, python, overrides)
            self._run("venv", "--python", python, str(self.folder / name))
            wanted = [f"litegate[{extra},{BESIDE}] @ {wheel.as_uri()}", "-c", str(pinned)]
            if row.versions:
                wanted += ["--override", str(overrides)]
            if name == ".venv":
                wanted += ["--group", f"{ROOT / 'pyproject.toml'}:dev"]
            self._run("pip", "install", "--python", str(self.folder / name / "bin" / "python"), *wanted)

    def versions(self) -> dict[str, str]:
        """Of the packages that the table shows."""
        found = {}
        for name in EXTRAS:
            listed = json.loads(self._run("pip", "list", "--format", "json", "--python", str(self.folder / name)))
            found |= {each["name"]: each["version"] for each in listed if each["name"] in SHOWN}
        return found

    def _pinned(self, row: Row, extra: str, python: str, overrides: Path) -> Path:
        """What is chosen of our own requirements; the tests' may be as new as they like."""
        if row.resolution == "locked":
            return self._without_hashes(LOCKS / f"{extra}.txt")
        pinned = self.folder / f"{extra}.txt"
        extras = [part for each in (extra, *BESIDE.split(",")) for part in ("--extra", each)]
        chosen = ["--resolution", row.resolution, "--python", python, "--override", str(overrides)]
        self._run(
            "pip",
            "compile",
            "pyproject.toml",
            *extras,
            *chosen,
            "-c",
            str(LOCKS / "constraints.txt"),
            "-o",
            str(pinned),
        )
        return pinned

    def _without_hashes(self, lock: Path) -> Path:
        """A wheel of our own has no hash in it, and uv wants one of all or of none."""
        plain = self.folder / lock.name
        lines = (line.removesuffix(" \\") for line in lock.read_text().splitlines() if not line.startswith("    --"))
        plain.write_text("\n".join(lines) + "\n")
        return plain

    def _run(self, *arguments: str) -> str:
        """Run uv; what it installs is linked from its cache."""
        environment = os.environ | {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "true"}
        done = subprocess.run(
            [self.uv, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        with self.log.open("a") as log:
            log.write(f"$ uv {' '.join(arguments)}\n{done.stderr}\n")
        if done.returncode != 0:
            raise Failed(
                done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"uv ended with {done.returncode}"
            )
        return done.stdout


def find_python(version: str) -> str:
    """An interpreter on the PATH that really is of this version.

    Raises:
        Failed: there is none.
    """
    for folder in os.get_exec_path():
        candidate = Path(folder) / f"python{version}"
        if candidate.exists() and _is(candidate, version):
            return str(candidate)
    raise Failed(f"no python{version} on the PATH")


def _is(python: Path, version: str) -> bool:
    """A shim may stand for an interpreter that is not there."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    return done.stdout.strip() == version
