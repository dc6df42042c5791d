"""What a process has from its start and cannot change later, so that a fork can only stand in for a process that is
started anew where both have the same."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from litegate.processes import namespace_of

__all__ = ["AT_START", "at_start", "differing", "inherited"]

AT_START: Mapping[str, str] = MappingProxyType(
    {
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "4",  # each reserves address space, and a machine with many cores has hundreds
        "CUDA_VISIBLE_DEVICES": "-1",
    }
)
"""What every process of a step is started with, but for those of training, which have use for a GPU."""
_MATTERS = re.compile(
    r"LANG|LANGUAGE|LC_\w+|TZ|LD_\w+|PYTHON(?!DONTWRITEBYTECODE$)[A-Z]\w*|GLIBC_\w+|MALLOC_\w+|CUDA_VISIBLE_DEVICES"
    r"|(OMP|OPENBLAS|MKL|KMP|GOTO|NVPL|TF|TF2|XLA|XNNPACK|ONEDNN|NPY|NUMPY|WRAPT)_\w+"
    r"|KERAS_(?!HOME)\w+|(PROTOCOL_BUFFERS|PILLOW|PYDANTIC|PANDAS|SCIPY|TQDM|MLFLOW_LOGGING)_\w+"
    r"|MPLBACKEND|MATPLOTLIBRC|MLFLOW_CONFIGURE_LOGGING"
)
"""Variables that the C library, Python, or a library reads as it is loaded; none of them is a secret. Looked for by
noting which names are read during the imports of all steps. Whether bytecode is written changes no result."""
_NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")


def at_start(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that matter at the start of a process."""
    return {name: value for name, value in environment.items() if _MATTERS.fullmatch(name)}


def inherited(environment: Mapping[str, str], python: Path) -> dict[str, str]:
    """What there is of it, by what it is called.

    Args:
        environment: that the process has, or is to have.
        python: its interpreter.
    """
    found = {"interpreter": str(python.absolute()), "user": f"{os.geteuid()}:{os.getegid()}"}
    found |= {f"{kind} namespace": namespace_of(kind) for kind in _NAMESPACES}
    found["cores"] = str(sorted(os.sched_getaffinity(0)))
    return found | at_start(environment)


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """What is not the same in both."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
