"""A warm parent: `python -m litegate.execution.warm ENVIRONMENT FOLDER KEEPER`.

It can be asked for steps in FOLDER as soon as it runs, and forks them once it has loaded the libraries of ENVIRONMENT.
It ends with the process KEEPER. Its children leave this module as if they had been started as
`litegate.execution.sandbox`.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from pathlib import Path

from litegate.call_stack import with_room
from litegate.execution.sandbox.__main__ import leave, main
from litegate.execution.warm.door import Door
from litegate.execution.warm.huge_pages import use_huge_pages
from litegate.execution.warm.inherited import inherited
from litegate.execution.warm.loaded import Loaded
from litegate.execution.warm.parent import WarmParent
from litegate.execution.warm.task import Task
from litegate.processes import die_with_parent

_PRELOADS = "litegate.steps.preloading"


@with_room
def _serve(environment: str, folder: Path) -> Task | None:
    python, before = Path(sys.executable), dict(os.environ)
    door, loaded, start = Door(folder, python), Loaded(python), inherited(before, python)
    gc.disable()  # and nothing is collected: what that frees are holes, into which children would write
    import_module(_PRELOADS).preload(environment)
    gc.freeze()  # or the children's collections would copy every page that has an object
    defaults = {name: value for name, value in os.environ.items() if name not in before}
    return WarmParent(door, loaded, start, defaults, use_huge_pages()).run()


if __name__ == "__main__":
    die_with_parent(int(sys.argv[3]))
    task = _serve(sys.argv[1], Path(sys.argv[2]))
    if task is not None:
        leave(main(task.begin(), task.parent, task.size))
