"""The user's code that a spec names: finding its source, so that results are keyed by it, and loading it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any

from litegate.digest import digest_file, digest_json
from litegate.errors import SpecError
from litegate.records import UserCode
from litegate.user_code.entry_point import load_function

__all__ = ["check_source", "load_preprocess", "source_digest"]


def load_preprocess(code: UserCode | None) -> Callable[..., Any] | None:
    """The function that `code` names, or None.

    Raises:
        BadInput: it cannot be imported.
        SpecError: its source is not what it was when the run began.
    """
    if code is None:
        return None
    check_source(code, "preprocess")
    return load_function(code.reference, code.folder)


def check_source(code: UserCode, where: str) -> None:
    """Check that the source is what it was when the run began.

    Args:
        where: the spec key that names it, for messages.

    Raises:
        SpecError: it is not.
    """
    if source_digest(code.reference, code.folder, where) != code.digest:
        raise SpecError(where, f"the source of {code.reference} as it was when the run began", "changed source")


def source_digest(reference: str, folder: str, where: str = "preprocess") -> str:
    """Digest of the source of `package.module:name`, and of all that it imports from `folder`.

    That is the module or its whole top package, and every module of `folder` that it imports, at any depth.
    What is installed counts by its version, which is part of every result's key; data files do not count.

    Args:
        where: the spec key that names it, for messages.

    Raises:
        SpecError: there is no such module beside the spec or in the environment, or it is not valid Python.
    """
    module = reference.partition(":")[0]
    top = module.partition(".")[0]
    spec = PathFinder.find_spec(top, [folder, *sys.path])
    if spec is None or spec.origin is None:
        expected = f"the module {top}, beside the spec file or installed with TensorFlow"
        raise SpecError(where, expected, "no such module")
    origin = Path(spec.origin)
    package = bool(spec.submodule_search_locations)
    root = origin.parent.parent if package else origin.parent  # the same package lies elsewhere in other environments
    sources = {os.path.relpath(path, root): path for path in (origin.parent.rglob("*.py") if package else [origin])}
    sources |= {os.path.relpath(path, folder): path for path in _imported_from(Path(folder), module, where)}
    return digest_json(sorted([name, digest_file(path)] for name, path in sources.items()))


def _imported_from(folder: Path, module: str, where: str) -> set[Path]:
    """Files of `folder` that a module of it imports, found without running anything."""
    finder = ModuleFinder(path=[str(folder)])
    try:
        finder.import_hook(module)
    except ImportError:  # it is installed elsewhere
        return set()
    except SyntaxError as error:
        raise SpecError(where, f"valid Python in {error.filename}", f"{error.msg} in line {error.lineno}") from None
    files = (getattr(found, "__file__", None) for found in finder.modules.values())
    return {Path(file) for file in files if file}
