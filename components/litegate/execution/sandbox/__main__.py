"""A step's child process: `python -m litegate.execution.sandbox PROGRAM STEP FOLDER CACHE CHANNEL`.

Applies FOLDER/confinement.json to itself and then runs the step by PROGRAM, a module with a function `run_step`: see
`litegate.steps.child`. It is imported only then, so that nothing of it starts a thread before.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from litegate.call_stack import with_room
from litegate.execution.sandbox import REPORT, Confinement
from litegate.execution.sandbox.confining import confine
from litegate.failures import FailureKind
from litegate.processes import namespace_of

__all__ = ["leave", "main"]


@with_room
def main(arguments: list[str], parent: int | None = None, shared: int = 0) -> int:
    """Confine this process, run the step and return the exit code.

    Args:
        parent: process id of a warm parent, in the place of the one that has written the confinement.
        shared: bytes of address space that this process has from its warm parent; the step's limit is beside them.
    """
    program, name, folder, cache = *arguments[:2], Path(arguments[2]), Path(arguments[3])
    given = Confinement.load(folder / "confinement.json")
    confinement = replace(given, parent=parent or given.parent, memory=given.memory + shared)
    missing = confine(confinement, int(arguments[4]))
    report = {"namespaces": _namespaces() if confinement.confined else [], "missing": missing}
    sys.stdout.write(f"{REPORT}{json.dumps(report)}\n")
    sys.stdout.flush()  # before anything that is not ours can say the like
    if missing and confinement.required:
        message = f"LITEGATE_ISOLATION=required, but this host gives {'; '.join(missing)}"
        (folder / "error.json").write_text(json.dumps({"kind": FailureKind.NOT_ISOLATED, "message": message}))
        return 1
    code: int = _imported(program).run_step(name, folder, cache, missing)
    return code


def _imported(program: str) -> ModuleType:
    """What a module defines is no garbage, and takes a tenth less time if nobody looks for some meanwhile."""
    gc.disable()
    module = import_module(program)
    gc.freeze()
    gc.enable()
    return module


def _namespaces() -> list[str]:
    """By which a process of this step can be told from others; those of the host tell nothing."""
    return [name for kind in ("pid", "net") if (name := namespace_of(kind))]


def leave(code: int) -> NoReturn:
    """End this process without taking it down: what crashes meanwhile would take the result along."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
