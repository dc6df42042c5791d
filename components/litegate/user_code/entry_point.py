"""The user's code by its reference, `package.module:name`: loading and calling it."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from litegate.errors import BadInput

__all__ = ["call", "load_class", "load_function"]


def load_function(reference: str, folder: str = "") -> Callable[..., Any]:
    """Import the function that `reference` names.

    Args:
        reference: `package.module:function`.
        folder: searched before everything that is installed, unless empty.

    Raises:
        BadInput: there is no such module or function, or importing the module raises.
    """
    found = _load(reference, folder, "function")
    if not callable(found):
        raise BadInput(reference, "a function", f"a {type(found).__name__}")
    function: Callable[..., Any] = found
    return function


def load_class(reference: str, folder: str = "") -> type[Any]:
    """The same for a class.

    Raises:
        BadInput: there is no such module or class, or importing the module raises.
    """
    found = _load(reference, folder, "class")
    if not isinstance(found, type):
        raise BadInput(reference, "a class", f"a {type(found).__name__}")
    return found


def call(reference: str, folder: str, arguments: Mapping[str, Any], target: Path) -> Path:
    """What the user's function wrote: it is called with an empty folder and its arguments, and returns a path.

    Args:
        folder: as for `load_function`.
        target: the folder to make for it.

    Raises:
        BadInput: the function cannot be loaded, does not take these arguments, or returns no path of what it wrote.
    """
    function = load_function(reference, folder)
    try:
        inspect.signature(function).bind(target, **arguments)
    except TypeError as error:
        given = ", ".join(("a folder", *arguments))
        raise BadInput(f"{reference}, called with {given}", "the arguments that it takes", str(error)) from None
    target.mkdir()
    written = function(target, **arguments)
    if not (isinstance(written, str | os.PathLike) and Path(written).exists()):
        raise BadInput(reference, "the path of what it wrote", repr(written))
    return Path(written)


def _load(reference: str, folder: str, kind: str) -> Any:
    module_name, _, name = reference.partition(":")
    if not (module_name and name):
        raise BadInput(reference or "entry point", f"package.module:{kind}", repr(reference))
    if folder and folder not in sys.path:
        sys.path.insert(0, folder)
    module = _imported(module_name, reference)
    if not hasattr(module, name):
        raise BadInput(reference, f"a {kind} {name} in {module.__file__}", "no such name")
    return getattr(module, name)


def _imported(name: str, reference: str) -> Any:
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise BadInput(reference, f"an importable module {name}", f"no module named {error.name}") from None
        raise BadInput(reference, f"all that {name} imports", f"no module named {error.name}") from error
    except Exception as error:
        raise BadInput(
            reference, f"a module {name} that can be imported", f"{type(error).__name__}: {error}"
        ) from error
