"""The user's code by its reference, `package.module:name`: loading it, and keeping the file that it makes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from litegate import storage
from litegate.digest import digest_file
from litegate.errors import BadInput
from litegate.records import Produced, ProduceRequest
from litegate.work import Work

__all__ = ["load_class", "load_function", "produce"]


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


def produce(request: ProduceRequest, work: Work) -> Produced:
    """Call the function in the step's own folder and put the file that it returns at the request's URI.

    Raises:
        BadInput: the function cannot be loaded, or does not return the path of a file.
    """
    path = load_function(request.entry_point, request.folder)(work.folder, **request.arguments)
    if not (isinstance(path, Path) and path.is_file()):
        raise BadInput(request.entry_point, "the path of the file that it wrote", repr(path))
    storage.put(path, request.uri)
    work.say("%s: %d bytes to %s", request.entry_point, path.stat().st_size, request.uri)
    return Produced(uri=request.uri, digest=digest_file(path), bytes=path.stat().st_size)


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
