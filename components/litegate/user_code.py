"""The user's `preprocess`: finding its source, so that results are keyed by it, and calling it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from litegate.digest import digest_file, digest_json
from litegate.entry_point import load_function
from litegate.errors import SpecError
from litegate.records import UserCode

__all__ = ["load_preprocess", "source_digest"]


def load_preprocess(code: UserCode | None) -> Callable[..., Any] | None:
    """The function that `code` names, or None.

    Raises:
        BadInput: it cannot be imported.
        SpecError: its source is not what it was when the run began.
    """
    if code is None:
        return None
    if source_digest(code.reference, code.folder) != code.digest:
        raise SpecError("preprocess", f"the source of {code.reference} as it was when the run began", "changed source")
    return load_function(code.reference, code.folder)


def source_digest(reference: str, folder: str) -> str:
    """Digest of the source that `package.module:function` belongs to: the module, or its whole top package.

    Raises:
        SpecError: there is no such module beside the spec or in the environment.
    """
    top = reference.partition(":")[0].partition(".")[0]
    spec = PathFinder.find_spec(top, [folder, *sys.path])
    if spec is None or spec.origin is None:
        expected = f"the module {top}, beside the spec file or installed with TensorFlow"
        raise SpecError("preprocess", expected, "no such module")
    origin = Path(spec.origin)
    sources = sorted(origin.parent.rglob("*.py")) if spec.submodule_search_locations else [origin]
    return digest_json([[path.relative_to(origin.parent).as_posix(), digest_file(path)] for path in sources])
