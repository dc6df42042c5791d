"""A child that hands back whatever it is told to, in the place of a real one: all that its parent does is real."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from litegate.execution.confinement import listed_uris
from litegate.execution.executor import Ending, Executor, PreparedStep
from litegate.execution.publishing import publish
from litegate.execution.returned.snapshots import Seen
from litegate.execution.step_run import StepRun
from litegate.steps import STEPS
from litegate.work import broker
from litegate.work.broker import Broker
from tests.components.execution.returned.honest import Case, World

__all__ = ["Child", "handed_back", "opened_below"]

Tamper = Callable[[Path], object]


class Child(StepRun):
    """A step whose child asks, writes and hands back what the case says, and then tampers with its folder."""

    def __init__(self, name: str, case: Case, world: World, tamper: Tamper = lambda folder: None) -> None:
        super().__init__(STEPS[name], case.request, world.places, Enemy(case, world, tamper))


class Enemy(Executor):
    """In the place of a process."""

    def __init__(self, case: Case, world: World, tamper: Tamper) -> None:
        self._case, self._tamper, self._world = case, tamper, world

    def run(self, prepared: PreparedStep, say: Callable[[str], None]) -> Ending:
        folder = prepared.folder
        for do, uri in self._case.asks:
            (broker.find_model if do == "find_model" else broker.list_entries)(folder, uri, "data")
        leave(folder, self._world, self._case.result.to_json())
        self._tamper(folder)
        return Ending(0, "", False, False)

    def kill(self) -> None: ...


def leave(folder: Path, world: World, result: Any) -> None:
    """What a child leaves in its folder; `result` may be bytes that are no JSON."""
    (folder / "result.json").write_bytes(result if isinstance(result, bytes) else json.dumps(result).encode())
    (folder / "outputs").mkdir()
    for digest, content in world.written.items():
        (folder / "outputs" / digest).write_bytes(content)


def handed_back(name: str, case: Case, world: World, result: Any, tamper: Tamper = lambda folder: None) -> Any:
    """What the parent takes of a child's result, without what comes before it."""
    with tempfile.TemporaryDirectory(dir=world.places.scratch) as path:
        folder = Path(path)
        server = Broker(folder, world.places.cache, folder, listed_uris(case.request), ())
        for do, uri in case.asks:
            assert "error" not in server.answer(json.dumps({"do": do, "uri": uri, "where": "data"}).encode())
        leave(folder, world, result)
        tamper(folder)
        seen = Seen("complete", server)
        return publish(STEPS[name], case.request, folder, seen, world.places.scratch, world.workspace)


_watched: list[tuple[str, list[str]]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _watched and isinstance(arguments[0], str | bytes | os.PathLike):
        folder, found = _watched[-1]
        path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100
        if path.startswith(folder):
            found.append(path)


@cache
def _watch() -> None:
    """Only where it is needed: it slows down all that this process does from then on, and has no end."""
    sys.addaudithook(_audit)


@contextmanager
def opened_below(folder: Path) -> Iterator[list[str]]:
    """Which files below a folder this process opens meanwhile, links not followed."""
    _watch()
    found: list[str] = []
    _watched.append((f"{folder}/", found))
    try:
        yield found
    finally:
        _watched.pop()
