"""Timing several files in turns, in this process."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from litegate.latency.figures import LEAST_ROUNDS
from litegate.latency.host import Load, Watch
from litegate.progress import Progress

__all__ = ["Runnable", "Slices", "Times", "plan", "time_in_rounds"]

Array = np.ndarray[Any, np.dtype[Any]]
Samples = Sequence[Mapping[str, Array]]
Clock = Callable[[], float]

_SLICE = 0.001
"""Seconds of a file's turn in a round: with five times as long ones the intervals are as wide."""
_FAST = 0.0015
"""Of a run that is shorter than this, what the cache lacks is a part that counts: such a file runs twice or more."""
_SECONDS = 0.75
"""Of all rounds together, for each file; but every file gets `LEAST_ROUNDS`, however slow it is."""
_MOST_ROUNDS, _MOST_RUNS = 31, 500
_PACE = 0.002
_FEWEST, _INTERRUPTION = 5, 0.05
"""Runs that tell a file's pace, if they take no longer than a few interruptions by other processes: one alone may be
nothing but such an interruption."""
_TICK = 1e-7
_SEED = 7


class Runnable(Protocol):
    """What is timed."""

    def invoke(self, quantized: Mapping[str, Array]) -> Any:
        """One run."""
        ...


@dataclass(frozen=True)
class Slices:
    """How often each file is run in a round, by its name, and how many rounds there are."""

    runs: Mapping[str, int]
    rounds: int


@dataclass(frozen=True)
class Times:
    """Seconds of every run by file and round, and how busy the host was meanwhile."""

    rounds: Mapping[str, list[list[float]]] = field(default_factory=dict)
    load: Load = field(default_factory=Load)


def plan(paces: Mapping[str, float]) -> Slices:
    """Slices of equal time as far as files allow, and rounds as many as there is time for.

    Args:
        paces: seconds of one run of each file.
    """
    runs = {name: min(max(round(_SLICE / pace), 2 if pace < _FAST else 1), _MOST_RUNS) for name, pace in paces.items()}
    one = sum((runs[name] + (runs[name] > 1)) * pace for name, pace in paces.items())
    return Slices(runs, min(max(int(_SECONDS * len(paces) / one), LEAST_ROUNDS), _MOST_ROUNDS))


def time_in_rounds(
    files: Mapping[str, tuple[Runnable, Samples]],
    begins: Callable[[str], None],
    say: Callable[..., None],
    clock: Clock = time.perf_counter,
) -> Times:
    """Run all files in every round, in an order that is drawn anew for each.

    Args:
        files: by name, with inputs of one sample each.
        begins: is told whose turn it is.
        say: gets a line about how far it is, now and then.
        clock: in seconds.
    """
    paces = {}
    for name, file in files.items():
        begins(name)
        paces[name] = _pace(*file, clock)
    slices = plan(paces)
    progress = Progress(say, f"benchmark {len(files)} files", slices.rounds, unit="rounds")
    found: dict[str, list[list[float]]] = {name: [] for name in files}
    order, draw, watch = list(files), random.Random(_SEED), Watch()
    for number in range(slices.rounds):
        draw.shuffle(order)
        for name in order:
            begins(name)
            found[name].append(_slice(*files[name], slices.runs[name], number, clock))
        progress.add()
    return Times(found, watch.load())


def _pace(model: Runnable, samples: Samples, clock: Clock) -> float:
    """Seconds of the fastest of some runs, once it is warm: a guess that no other process makes larger."""
    model.invoke(samples[0])
    found: list[float] = []
    while sum(found) < (_PACE if len(found) >= _FEWEST else _INTERRUPTION):
        begin = clock()
        model.invoke(samples[len(found) % len(samples)])
        found.append(max(clock() - begin, _TICK))
    return min(found)


def _slice(model: Runnable, samples: Samples, runs: int, number: int, clock: Clock) -> list[float]:
    """Seconds of each run. The first of several is not counted: it finds the cache as another file has left it."""
    if runs > 1:
        model.invoke(samples[0])
    found = []
    for run in range(runs):
        sample = samples[(number * runs + run) % len(samples)]
        begin = clock()
        model.invoke(sample)
        found.append(clock() - begin)
    return found
