"""Kills at random moments: which kind of process, how long after a run has begun, and what was really killed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil

from tests.chaos.world import World

__all__ = ["Bag", "Killed", "Planned", "killing"]

_POLL = 0.02


@dataclass(frozen=True)
class Planned:
    """A kill that is to come.

    Attributes:
        after: seconds after the run has begun; later if there is no such process then.
    """

    kind: str
    after: float


@dataclass(frozen=True)
class Killed:
    """A kill that was made: a process id, and seconds after the run had begun."""

    kind: str
    number: int
    after: float

    def __str__(self) -> str:
        return f"{self.kind} at {self.after:.1f} s"


@dataclass
class Bag:
    """Kinds in random order, each as often as the others."""

    kinds: Sequence[str]
    chance: random.Random
    _left: list[str] = field(default_factory=list)

    def draw(self, number: int, longest: float) -> list[Planned]:
        """Some kills, the first one first, none later than `longest` seconds."""
        moments = sorted(self.chance.uniform(0, longest) for _ in range(number))
        return [Planned(self._next(), moment) for moment in moments]

    def put_back(self, kinds: Sequence[str]) -> None:
        """What was not done comes first next time."""
        self._left += kinds

    def _next(self) -> str:
        if not self._left:
            self._left = self.chance.sample(list(self.kinds), len(self.kinds))
        return self._left.pop()


class _Killer(threading.Thread):
    def __init__(self, world: World, plan: Sequence[Planned], chance: random.Random) -> None:
        super().__init__(daemon=True)
        self._world, self._plan, self._chance = world, plan, chance
        self.made: list[Killed] = []
        self.over = threading.Event()

    def run(self) -> None:
        began = time.monotonic()
        for planned in self._plan:
            while not self.over.wait(max(_POLL, began + planned.after - time.monotonic())):
                number = self._kill(planned.kind)
                if number is not None:
                    self.made.append(Killed(planned.kind, number, time.monotonic() - began))
                    break

    def _kill(self, kind: str) -> int | None:
        """The process id of one that was killed; None if there is none, or it has just ended by itself."""
        with suppress(psutil.Error, IndexError):
            victim = self._chance.choice(self._world.processes(kind))
            victim.kill()
            return int(victim.pid)
        return None


@contextmanager
def killing(world: World, plan: Sequence[Planned], chance: random.Random) -> Iterator[list[Killed]]:
    """Kill meanwhile as planned; what was killed is known at the end."""
    killer = _Killer(world, plan, chance)
    killer.start()
    try:
        yield killer.made
    finally:
        killer.over.set()
        killer.join()
