"""Room for the calls of a program, asked for once.

CPython keeps the frames of Python functions in chunks of 16 KiB, and returns one to the kernel as soon as nothing is in
it. A loop that calls something where a chunk ends has one mapped and unmapped with every call: 22,000 times while
TensorFlow is imported, which takes up to half a second longer for it. A frame that does not fit gets a chunk of
16 KiB times a power of two, and what is called from there has the rest of that.

Source: `_PyThreadState_PushFrame` in CPython's Python/pystate.c, since 3.11.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from types import FunctionType
from typing import ParamSpec, TypeVar, cast

__all__ = ["with_room"]

P = ParamSpec("P")
R = TypeVar("R")
_SLOTS = (1 << 16) + 1
"""Of a pointer each, more than half a MiB; as much is left for others. No page of it is used before somebody writes."""


def with_room(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, in whose calls there is room for a thousand frames and more.

    Args:
        function: one that is written in Python.
    """
    given = cast("FunctionType", function)
    code = given.__code__.replace(co_stacksize=_SLOTS)
    roomy = FunctionType(code, given.__globals__, given.__name__, given.__defaults__, given.__closure__)
    roomy.__kwdefaults__ = given.__kwdefaults__
    return cast("Callable[P, R]", update_wrapper(roomy, function))
