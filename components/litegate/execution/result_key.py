"""The key of a result: what it depends on, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from litegate.digest import digest_json
from litegate.execution.confinement import named
from litegate.execution.file_state import State, source_files, state_of
from litegate.execution.graphics import devices
from litegate.execution.installed import installed
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


def read_source(steps: Iterable[str], pythons: Iterable[Path] = (), root: Path = _ROOT) -> None:
    """Read what keys are made of, which takes longer than to make one: for the processes that this one forks.

    What has changed on the disk by then is read again there.

    Args:
        steps: whose keys are to be made.
        pythons: the interpreters that run them.
    """
    _tree(root).read()
    closures = [_closure(step, (), root) for step in steps]
    for python in pythons:
        packages = installed(python)
        packages.read()
        for closure in closures:
            packages.behind(closure.others)


def read_steps(steps: Iterable[str]) -> None:
    """Read what the keys of these steps are made of, while there is nothing else to do."""
    for step in steps:
        _closure(step, (), _ROOT)


def _closure(step: str, unused: tuple[str, ...], root: Path) -> Closure:
    return _closure_in(_tree(root), step, unused)


@cache
def _closure_in(tree: SourceTree, step: str, unused: tuple[str, ...]) -> Closure:
    return tree.closure([f"litegate.steps.{step}"], (*CARRIERS, *unused))


def _tree(root: Path) -> SourceTree:
    return _tree_as_it_is(root, _state(root, os.getpid()))


@cache
def _state(root: Path, _process: int) -> State:
    """A process looks once, and so does one that it forks."""
    return state_of(source_files(str(root)))


@cache
def _tree_as_it_is(root: Path, _state: State) -> SourceTree:
    return SourceTree(root)
