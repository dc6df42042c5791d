"""The environment variables that work goes by: the process's own, and what its caller has put in their place.

What a caller puts there stands in no `os.environ`, so that it reaches the work that it is for and nothing beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from types import MappingProxyType
from typing import ParamSpec, TypeVar

__all__ = ["carried", "replacing", "variables"]

P = ParamSpec("P")
R = TypeVar("R")

_REPLACED: ContextVar[Mapping[str, str | None]] = ContextVar("replaced", default=MappingProxyType({}))


def variables() -> dict[str, str]:
    """All of them, as the work sees them."""
    found = {**os.environ, **_REPLACED.get()}
    return {name: value for name, value in found.items() if value is not None}


@contextmanager
def replacing(values: Mapping[str, str | None]) -> Iterator[None]:
    """Put variables in the place of the process's own; for this thread, and those that are given its context."""
    token = _REPLACED.set(MappingProxyType({**_REPLACED.get(), **values}))
    try:
        yield
    finally:
        _REPLACED.reset(token)


def carried(call: Callable[P, R]) -> Callable[P, R]:
    """The same call, which sees in whatever threads what this one sees now: a thread has nothing of it by itself."""
    context = copy_context()

    def seeing(*arguments: P.args, **keywords: P.kwargs) -> R:
        return context.copy().run(call, *arguments, **keywords)  # a context is one thread's at a time

    return seeing
