"""The user's `preprocess`: finding its source, so that results are keyed by it, and calling it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from modulefinder import ModuleFinder
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
    """Digest of the source of `package.module:function`, and of all that it imports from `folder`.

    That is the module or its whole top package, and every module of `folder` that it imports, at any depth.
    What is installed counts by its version, which is part of every result's key; data files do not count.

    Raises:
        SpecError: there is no such module beside the spec or in the environment, or it is not valid Python.
    """
    module = reference.partition(":")[0]
    top = module.partition(".")[0]
    spec = PathFinder.find_spec(top, [folder, *sys.path])
    if spec is None or spec.origin is None:
        expected = f"the module {top}, beside the spec file or installed with TensorFlow"
        raise SpecError("preprocess", expected, "no such module")
    origin = Path(spec.origin)
    sources = set(origin.parent.rglob("*.py")) if spec.submodule_search_locations else {origin}
    sources |= _imported_from(Path(folder), module)
    return digest_json(sorted([os.path.relpath(path, folder), digest_file(path)] for path in sources))


def _imported_from(folder: Path, module: str) -> set[Path]:
    """Files of `folder` that a module of it imports, found without running anything."""
    finder = ModuleFinder(path=[str(folder)])
    try:
        finder.import_hook(module)
    except ImportError:  # it is installed elsewhere
        return set()
    except SyntaxError as error:
        raise SpecError(
            "preprocess", f"valid Python in {error.filename}", f"{error.msg} in line {error.lineno}"
        ) from None
    files = (getattr(found, "__file__", None) for found in finder.modules.values())
    return {Path(file) for file in files if file}
