"""How often the gate passes a model exactly at the limit, and how often a perfect one: `make bench-gate`.

Every metric and every policy is simulated with pairs whose true loss is known, through the gate itself and with
early ends of the evaluation. Prints a table, writes `build/bench-gate.json`, and ends with 1 if a rate is above
the stated one by more than chance explains.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tests.benchmarks.cases import CASES as INDEPENDENT
from tests.benchmarks.cases import NAIVE
from tests.benchmarks.clustered_cases import CLUSTERED
from tests.benchmarks.growth import growth
from tests.benchmarks.real_model import ROOT, resnet8_16x8
from tests.benchmarks.report import ALPHA, HEADLINE, Row, headline, line, problems, title
from tests.benchmarks.searched_cases import SEARCHED
from tests.benchmarks.simulate import FIRST_ANALYSIS, Counts, simulate
from tests.benchmarks.two_phase_cases import TWO_PHASE
from tests.benchmarks.two_phase_row import resnet8_two_phase

SEED, PROCESSES, CHUNKS = 17, 2, 20
CASES = (*INDEPENDENT, *CLUSTERED, *TWO_PHASE, *SEARCHED)


def main() -> int:
    """Run everything; the exit code."""
    arguments = _arguments()
    begin, share = time.perf_counter(), 0.1 if arguments.quick else 1.0
    real = None if arguments.quick else resnet8_16x8()
    beside = None if arguments.quick else resnet8_two_phase()
    with ProcessPoolExecutor(PROCESSES) as pool:
        rows = _simulated(pool, share)
        grown = growth(pool, round(150 * share))
    found = _found(rows, grown, real, beside)
    found |= {"seconds": round(time.perf_counter() - begin), "quick": arguments.quick}
    print(*(title(), *map(line, rows)), "", *_summary(found), sep="\n")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(found, indent=2) + "\n")
    print(f"written: {arguments.output}")
    return 1 if found["problems"] else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the draws, and no real run")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench-gate.json")
    return parser.parse_args()


def _simulated(pool: ProcessPoolExecutor, share: float) -> list[Row]:
    """All cases, in chunks that run side by side; the counts do not depend on their order."""
    tasks = {
        pool.submit(_chunk, number, perfect, chunk, draws): (number, perfect)
        for number in reversed(range(len(CASES)))
        for perfect in (False, True)
        for chunk, draws in _chunks(round(CASES[number].draws[perfect] * share))
    }
    counts = {(number, perfect): Counts() for number in range(len(CASES)) for perfect in (False, True)}
    for task in _progress(tasks):
        counts[tasks[task]] += task.result()
    return [Row(case, counts[number, False], counts[number, True]) for number, case in enumerate(CASES)]


def _chunks(draws: int) -> Iterator[tuple[int, int]]:
    for chunk in range(CHUNKS):
        size = draws // CHUNKS + (chunk < draws % CHUNKS)
        if size:
            yield chunk, size


def _chunk(number: int, perfect: bool, chunk: int, draws: int) -> Counts:
    return simulate(CASES[number], perfect, [SEED, number, perfect, chunk], draws)


def _progress(tasks: dict[Future[Counts], Any]) -> Iterator[Future[Counts]]:
    begin = time.perf_counter()
    for done, task in enumerate(as_completed(tasks), 1):
        yield task
        if done % max(1, len(tasks) // 20) == 0:
            print(f"  {done / len(tasks):4.0%} of {len(CASES)} cases, {time.perf_counter() - begin:.0f} s", flush=True)


def _found(
    rows: list[Row], grown: dict[str, Any], real: dict[str, Any] | None, beside: dict[str, Any] | None
) -> dict[str, Any]:
    naive = next(row for row in rows if row.case is NAIVE)
    return headline(rows, naive) | {
        "sequential_fraction_resnet8_16x8": real and real["fraction"],
        "sequential_samples_1e6_vs_1e5": grown["ratio"],
        "two_phase_samples": beside and beside["two_phase_samples"],
        "growth": grown,
        "resnet8_16x8": real,
        "resnet8_two_phase": beside,
        "problems": [*problems(rows), *_changed(real)],
        "settings": {"seed": SEED, "alpha": ALPHA, "first_look": FIRST_ANALYSIS, "processes": PROCESSES},
        "rows": [row.to_json() for row in rows],
    }


def _changed(real: dict[str, Any] | None) -> list[str]:
    if real is None or real["states"]["full"] == real["states"]["sequential"]:
        return []
    return [f"ResNet-8: the sequential verdicts are not those of all samples: {real['states']}"]


def _summary(found: dict[str, Any]) -> Iterator[str]:
    for name in HEADLINE:
        yield f"{name:34} {found[name]:.2%}"
    fraction, real = found["sequential_fraction_resnet8_16x8"], found["resnet8_16x8"]
    yield f"{'sequential_fraction_resnet8_16x8':34} " + ("not measured" if fraction is None else f"{fraction:.1%}")
    if real:
        full, early = real["seconds"]["full"], real["seconds"]["sequential"]
        yield f"  {real['states']['sequential']}; {early:.1f} s in place of {full:.1f} s"
    saved, beside = found["two_phase_samples"], found["resnet8_two_phase"]
    yield f"{'two_phase_samples':34} " + ("not measured" if saved is None else f"{saved:.1%}")
    if beside:
        by = f"{beside['host_samples']:,} samples by {beside['control']}, correlation {beside['correlation']:.2f}"
        yield f"  {by}; {beside['with_the_host_alone']:.1%} with XNNPACK in its place"
    ratio, error, means = (found["growth"][name] for name in ("ratio", "error", "mean_samples"))
    yield f"{'sequential_samples_1e6_vs_1e5':34} {ratio:.3f} +-{error:.3f}, mean samples used {means}"
    yield f"took {found['seconds']} s; stated: at most {ALPHA:.0%} at the limit"
    yield from (f"ABOVE WHAT IS STATED: {problem}" for problem in found["problems"])


if __name__ == "__main__":
    sys.exit(main())
