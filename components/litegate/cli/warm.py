"""`litegate warm`: warm parents of steps, kept in the foreground."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from litegate.cli.init import use_home
from litegate.cli.output import answer
from litegate.errors import StackError
from litegate.execution.warm.door import forget
from litegate.execution.warm.keeping import answers, end, started
from litegate.settings import settings
from litegate.stack import Home
from litegate.stack.reviving import Revivals

__all__ = ["keep_warm"]

_PAUSE = 0.25


def keep_warm(home: Home, target: Path | None) -> int:
    """Keep a parent for each Python environment, starting anew those that end, until SIGTERM or SIGINT.

    Raises:
        StackError: there is no Python with TensorFlow.
    """
    use_home(home)
    places = settings()
    if places.warm is None:
        raise StackError("no folder for warm parents: set LITEGATE_WARM")
    if any(answers(places.warm, python) for python in places.pythons.values()):
        raise StackError(f"there are warm parents in {places.warm} already, as those of the embedded servers")
    with ExitStack() as ending:
        parents = _Parents(places.pythons, places.warm)
        ending.callback(parents.end)
        parents.start()
        answer({"folder": str(places.warm)}, target, lambda: print(f"warm parents listen in {places.warm}", flush=True))
        try:
            while True:
                parents.revive()
                time.sleep(_PAUSE)
        except KeyboardInterrupt:
            return 0


class _Parents:
    def __init__(self, pythons: dict[str, Path], folder: Path) -> None:
        self._pythons, self._folder = pythons, folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._revivals = Revivals()

    def start(self) -> None:
        for name in self._pythons:
            self._start(name)

    def revive(self) -> None:
        """Start those anew that have ended, when their time has come."""
        for name, process in list(self._running.items()):
            if process.poll() is not None:
                del self._running[name]
                wait = self._revivals.died(name)[-1]
                log = self._folder / f"{name}.log"
                print(f"{name}: ended with {process.returncode}; again in {wait:g} s; see {log}", file=sys.stderr)
        for name in self._revivals.due():
            self._start(name)

    def end(self) -> None:
        for name, process in self._running.items():
            end(process, self._folder, self._pythons[name])
        for python in self._pythons.values():  # one that has died, and is to be started again, is not among them
            forget(self._folder, python)

    def _start(self, name: str) -> None:
        self._running[name] = started(name, self._pythons[name], self._folder)
        self._revivals.started(name)
