"""What the functions behind the rows of `make bench` are given: a folder, the size, and what is measured only once."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["Bench", "Taken"]

T = TypeVar("T")


@dataclass
class Taken:
    """How long something took."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Bench:
    """One run of the benchmarks.

    Attributes:
        folder: scratch space that all rows of the run share, empty when it began.
        quick: whether the sizes are to be small: such figures show that the benchmark works, and no more.
    """

    folder: Path
    quick: bool = False

    def size(self, full: int, quick: int) -> int:
        """`full`, or `quick` where sizes are to be small."""
        return quick if self.quick else full

    def once(self, name: str, measure: Callable[[], T]) -> T:
        """What `measure` gave (plain values, which JSON can hold); rows that compare with the same share it.

        Raises:
            RuntimeError: it has failed before; it is not tried again.
        """
        path = self.folder / "once" / f"{name}.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                path.write_text(json.dumps({"value": measure()}))
            except Exception as error:
                path.write_text(json.dumps({"error": f"{type(error).__name__}: {error}"}))
                raise
        kept: dict[str, Any] = json.loads(path.read_text())
        if "error" in kept:
            raise RuntimeError(f"{name} has failed before: {kept['error']}")
        value: T = kept["value"]
        return value

    def command(self, *arguments: str | Path, codes: Sequence[int] = (0,)) -> float:
        """Run a program; its seconds as a whole process.

        Args:
            codes: the exit codes that are no error.

        Raises:
            RuntimeError: it ended with an error; the message has what it said last.
        """
        program = list(map(str, arguments))
        with self.clock() as taken:
            done = subprocess.run(
                program, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
            )
        print(f"{taken.seconds:.2f} s: {' '.join(program)}\n{done.stdout}{done.stderr}", flush=True)
        if done.returncode not in codes:
            raise RuntimeError(
                f"{' '.join(program)} ended with {done.returncode}: {(done.stdout + done.stderr)[-3000:]}"
            )
        return taken.seconds

    @contextmanager
    def clock(self) -> Iterator[Taken]:
        """Seconds of what runs within."""
        taken, begin = Taken(), time.perf_counter()
        try:
            yield taken
        finally:
            taken.seconds = time.perf_counter() - begin


def _environment() -> dict[str, str]:
    """Ours without what points to servers or a home of somebody else."""
    dropped = ("AIRFLOW", "AWS_", "LITEGATE_HOME", "LITEGATE_WORKSPACE", "MLFLOW_")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
