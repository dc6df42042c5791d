"""The key of a result: what it depends on, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from litegate.digest import digest_json
from litegate.execution.confinement import named
from litegate.execution.graphics import devices
from litegate.execution.installed import Installed, installed
from litegate.execution.machine import machine
from litegate.execution.source_closure import Closure, SourceTree
from litegate.execution.step import Step, parts
from litegate.records import Record, UserCode

__all__ = ["CARRIERS", "read_source", "read_steps", "result_key", "result_keys"]

FORMAT = 2
"""Results under keys of another format are not found, and computed again."""

CARRIERS = ("litegate.execution", "litegate.storage", "litegate.work")
"""What brings a request, its files and its result from one place to another, and proves by digest that they are whole.

No result depends on it. `litegate.steps` itself, the list of the steps, and `litegate.steps.child` belong to it too,
but no step imports them.
"""

_ROOT = Path(__file__).parents[1]


def result_key(step: Step, request: Record, python: Path, root: Path = _ROOT) -> str:
    """Digest of the request, the source that the step runs, the versions of what this imports, and the machine.

    Args:
        python: the interpreter that runs the step.
        root: the folder of litegate's source.

    Raises:
        BadInput: it is to be computed on a Vulkan device, and this machine has none.
    """
    closure = _closure(step.name, step.unused(request), root)
    packages = installed(python)
    # A user's code may import whatever there is.
    tools = packages.everything if any(named(request, UserCode)) else packages.behind(closure.others)
    return digest_json(
        {
            "format": FORMAT,
            "step": step.name,
            "request": request.keyed(),
            "code": sorted(closure.digests.items()),
            "tools": tools,
            "machine": machine(step.machine),
        }
        | ({"devices": found} if (found := devices(request)) else {})
    )


def result_keys(step: Step, request: Record, python: Path) -> tuple[str, ...]:
    """The key of the result of each of the request's files, in their order; of a request for one thing that alone."""
    return tuple(result_key(step.each or step, part, python) for part in parts(step, request))


def read_source(pythons: Iterable[Path] = (), root: Path = _ROOT) -> None:
    """Read what keys are made of, which takes longer than to make one: for the processes that this one forks.

    What changes on the disk later is read again where it is asked for.

    Args:
        pythons: the interpreters that run steps.
    """
    SourceTree(root).read()
    for python in pythons:
        Installed(python).read()


def read_steps(steps: Iterable[str]) -> None:
    """Read what the keys of these steps are made of, while there is nothing else to do."""
    for step in steps:
        _tree(_ROOT).closure([f"litegate.steps.{step}"], CARRIERS)


@cache
def _closure(step: str, unused: tuple[str, ...], root: Path) -> Closure:
    return _tree(root).closure([f"litegate.steps.{step}"], (*CARRIERS, *unused))


@cache
def _tree(root: Path) -> SourceTree:
    return SourceTree(root)
