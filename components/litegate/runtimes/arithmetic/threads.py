"""How many threads numpy's matrix products use.

Processes that evaluate are as many as there are cores, and the products are small: with several threads for each they
take ten times as long, waiting for each other.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import numpy as np

__all__ = ["one_thread"]

_SETTERS = tuple(f"{prefix}openblas_set_num_threads{suffix}" for prefix in ("scipy_", "") for suffix in ("64_", ""))


@cache
def one_thread() -> bool:
    """Have this process's matrix products use one thread from now on.

    Returns:
        Whether they do; not where numpy was built with another library than its packages have, OpenBLAS.
    """
    for path in sorted((Path(np.__file__).parents[1] / "numpy.libs").glob("*openblas*")):
        library = ctypes.CDLL(str(path))
        for name in _SETTERS:
            if hasattr(library, name):
                getattr(library, name)(1)
                return True
    return False
