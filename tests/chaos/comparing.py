"""`litegate compare` of a spec, in a home of its own: the pipeline without servers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.chaos.embedded import clean_environment
from tests.chaos.world import Ended

__all__ = ["compare"]

_LITEGATE = Path(sys.executable).parent / "litegate"


def compare(spec: Path, home: Path, variables: Mapping[str, str] | None = None, within: Sequence[str] = ()) -> Ended:
    """How it ends.

    Args:
        home: made if it is not there.
        variables: of the environment, beside our own.
        within: a command that runs it.
    """
    home.mkdir(exist_ok=True)
    result = home / "result.json"
    result.unlink(missing_ok=True)
    command: list[str | Path] = [
        *within,
        _LITEGATE,
        "compare",
        spec,
        "--home",
        home,
        "--out",
        home / "out",
        "--json",
        result,
    ]
    environment = clean_environment() | dict(variables or {})
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False, timeout=900)
    written = json.loads(result.read_text()) if result.exists() else None
    return Ended(done.returncode, done.stdout + done.stderr, written)
