"""A step's child process: `python -m litegate.sandbox STEP FOLDER CACHE CHANNEL`.

Applies FOLDER/confinement.json to itself and then runs the step, see `litegate.steps.child`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path

from litegate.process import namespace_of
from litegate.sandbox import REPORT, Confinement
from litegate.sandbox.confining import confine

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Confine this process, run the step and return the exit code."""
    name, folder, cache = arguments[0], Path(arguments[1]), Path(arguments[2])
    confinement = Confinement.load(folder / "confinement.json")
    missing = confine(confinement, int(arguments[3]))
    report = {"namespaces": _namespaces() if confinement.confined else [], "missing": missing}
    sys.stdout.write(f"{REPORT}{json.dumps(report)}\n")
    sys.stdout.flush()  # before anything that is not ours can say the like
    if missing and confinement.required:
        message = f"LITEGATE_ISOLATION=required, but this host gives {'; '.join(missing)}"
        (folder / "error.json").write_text(json.dumps({"kind": "not_isolated", "message": message}))
        return 1
    from litegate.steps.child import run_step

    return run_step(name, folder, cache, missing)


def _namespaces() -> list[str]:
    """By which a process of this step can be told from others; those of the host tell nothing."""
    return [name for kind in ("pid", "net") if (name := namespace_of(kind))]


if __name__ == "__main__":
    code = main(sys.argv[1:])
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # what crashes while it is taken down takes no result along
