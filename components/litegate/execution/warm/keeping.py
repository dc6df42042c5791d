"""Keeping a warm parent: how it is started, with which variables, and how it ends."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from litegate.execution.leftovers import remove
from litegate.execution.warm.door import connected, forget, is_there
from litegate.execution.warm.inherited import AT_START, at_start
from litegate.settings import Settings
from litegate.storage.copies import private_folder
from litegate.storage.scratch import held

__all__ = ["another_parent", "answers", "command", "end", "kept", "own_parent", "started", "variables_of"]

_ALSO = ("PATH", "LITEGATE_STACK")


def command(environment: str, python: Path, folder: Path) -> tuple[str, ...]:
    """What starts the parent of an environment, or of one step, which ends with this process."""
    return (str(python), "-m", "litegate.execution.warm", environment, str(folder), str(os.getpid()))


def variables_of(surroundings: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What a parent is started with: no secret, and no home in which there could be one.

    Args:
        surroundings: the variables of its keeper.
    """
    also = {name: surroundings[name] for name in _ALSO if name in surroundings}
    own = dict.fromkeys(("HOME", "TMPDIR", "KERAS_HOME", "MPLCONFIGDIR"), str(folder))
    return at_start(surroundings) | also | own | dict(AT_START)


def started(environment: str, python: Path, folder: Path) -> subprocess.Popen[bytes]:
    """A parent that loads in the background; what it says is in `FOLDER/ENVIRONMENT.log`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / f"{environment}.log").open("ab") as log:
        return subprocess.Popen(
            command(environment, python, folder),
            cwd=folder,
            env=variables_of(os.environ, folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@contextmanager
def kept(environment: str, python: Path, folder: Path) -> Iterator[Callable[[], None]]:
    """Keep a parent meanwhile; its children end with it.

    Yields:
        A function that waits until callers find it, which is before it has loaded, or until it has ended.
    """
    process = started(environment, python, folder)

    def wait() -> None:
        while process.poll() is None and not is_there(folder, python):
            time.sleep(0.01)

    try:
        yield wait
    finally:
        end(process, folder, python)


def end(process: subprocess.Popen[bytes], folder: Path, python: Path) -> None:
    """End a parent and its children; nobody looks for it any more."""
    process.kill()
    process.wait()
    forget(folder, python)


@contextmanager
def own_parent(environment: str, places: Settings) -> Iterator[Callable[[], Settings]]:
    """Keep a parent for the steps of this process, unless there is one already, or steps are to be started otherwise.

    Yields:
        A function that gives the settings by which steps find it.
    """
    python = places.pythons.get(environment)
    if python is None or places.executor != "auto" or answers(places.warm, python):
        yield lambda: places
        return
    folder = Path(tempfile.mkdtemp(prefix="warm-", dir=private_folder(places.scratch)))

    def found() -> Settings:
        wait()
        return replace(places, warm=folder)

    with held(folder):
        try:
            with kept(environment, python, folder) as wait:
                yield found
        finally:
            remove(folder)


@contextmanager
def another_parent(step: str, environment: str, places: Settings) -> Iterator[None]:
    """Keep a parent for a single step, where others are kept for this process and none of that step's interpreter."""
    python = places.pythons[environment]
    if places.warm is None or places.executor != "auto" or answers(places.warm, python):
        yield
        return
    with kept(step, python, places.warm):
        yield


def answers(folder: Path | None, python: Path) -> bool:
    """Whether there is a parent of an interpreter."""
    with suppress(OSError):
        connection = None if folder is None else connected(folder, python)
        if connection is not None:
            connection.close()
            return True
    return False
