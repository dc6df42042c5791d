"""Whether many models at once keep the cores at work: 20 runs against the sum of what each takes alone."""

from __future__ import annotations

import os
import resource
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from litegate.examples import digits
from litegate.settings import settings
from tests.benchmarks.bench_context import Bench
from tests.benchmarks.idle_row import used
from tests.benchmarks.servers_of_rows import Servers, servers, write_spec

__all__ = ["models_20_at_once"]

MODELS = 20
TRAIN = """
import pathlib, sys
from litegate.examples.digits import train
for number in range(int(sys.argv[2])):
    folder = pathlib.Path(sys.argv[1], str(number))
    folder.mkdir()
    train(folder, str(pathlib.Path(sys.argv[1], "train.npz")), epochs=1, seed=number)
"""


def models_20_at_once(bench: Bench) -> float:
    """Wall time of the runs at once, by (their CPU seconds, as one of them uses them alone / cores).

    1 is reached when all cores are at work all the time, and a run takes no more for the others. What one takes alone
    is the mean of two, before and after: a core does a third more work in some minutes than in others.
    """
    count = bench.size(MODELS, 2)
    first, before, after, *specs = _specs(bench, count + 3)
    with servers(bench, "at-once") as up:
        up.run(first)
        alone = [_cpu_seconds(up, before)]
        with bench.clock() as taken, ThreadPoolExecutor(count) as pool:
            list(pool.map(partial(_run, up), specs))
        alone.append(_cpu_seconds(up, after))
    cores = len(os.sched_getaffinity(0))
    one = f"{alone[0]:.1f} and {alone[1]:.1f} CPU seconds"
    print(f"{count} at once: {taken.seconds:.1f} s on {cores} cores; one alone: {one}")
    return taken.seconds * cores / (count * sum(alone) / len(alone))


def _cpu_seconds(up: Servers, spec: Path) -> float:
    """Of the servers, and of the command that follows the run."""
    before, own = sum(used(up.home).values()), _of_commands()
    _run(up, spec)
    return sum(used(up.home).values()) - before + _of_commands() - own


def _of_commands() -> float:
    taken = resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken.ru_utime + taken.ru_stime


def _run(up: Servers, spec: Path) -> None:
    up.run(spec, up.home / f"{spec.stem}.json")


def _specs(bench: Bench, count: int) -> list[Path]:
    """One for each of so many models that differ in their weights."""
    folder = bench.folder / "at-once"
    folder.mkdir()
    for split in digits.SPLITS:
        digits.prepare(folder, split)
    command = [settings().pythons["tensorflow"], "-c", TRAIN, folder, str(count)]
    subprocess.run(command, check=True, capture_output=True)
    return [
        write_spec(
            bench,
            f"at-once-{number}",
            {
                "model": {"uri": str(folder / str(number) / "model.keras")},
                "calibration": {"uri": str(folder / "calibration.npz"), "format": "npz", "samples": 100},
                "evaluation": {"uri": str(folder / "test.npz"), "format": "npz"},
                "variants": ["dynamic_range", "float16", "int8"],
                "gate": {"max_drop": 0.05},
            },
        )
        for number in range(count)
    ]
