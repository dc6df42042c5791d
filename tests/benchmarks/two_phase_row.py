"""How many samples of the target the host saves: ResNet-8 in int8, on TensorFlow Lite Micro's kernels."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from litegate.gate.contrasts import Design
from litegate.gate.verdicts import compare
from litegate.outcomes.columns import Outcomes, match
from litegate.records import ControlOutcomes, Evaluated, HostOutcomes
from litegate.spec.metric_facts import BUILT_IN
from tests.benchmarks.real_model import REAL, pipeline_of
from tests.single_steps import Steps

__all__ = ["resnet8_two_phase", "samples_saved"]

TARGET_SAMPLES, ALONE, DRAWS = 3_000, 1_000, 20
CONFIDENCE, STEP = 0.95, 20
Pair = tuple[Outcomes, Outcomes]


def resnet8_two_phase() -> dict[str, Any] | None:
    """What `samples_saved` says of the real model; None without data."""
    if not (REAL / "model.h5").exists():
        return None
    print(f"  run ResNet-8 in int8 on {TARGET_SAMPLES:,} samples by TensorFlow Lite Micro ...", flush=True)
    asked = {"target": "microcontroller", "evaluation": {"target_samples": TARGET_SAMPLES}}
    with tempfile.TemporaryDirectory(prefix="bench-gate-") as home:
        pipeline = pipeline_of(REAL, Path(home), ("int8",), **asked)
        first, second = (pipeline.evaluate(file) for file in (pipeline.convert().artifact, pipeline.quantize("int8")))
        target, host = (_pair(pipeline, of, first, second) for of in (lambda found: found, _beside))
        by_host = _pair(pipeline, lambda found: found.host, first, second)
        control, seconds = second.control, second.seconds
    assert control is not None
    return samples_saved(target, host) | {
        "control": control.title,
        "refused": control.refused,
        "with_the_host_alone": samples_saved(target, by_host)["two_phase_samples"],
        "seconds": round(seconds, 1),
    }


def _beside(found: Evaluated) -> ControlOutcomes | HostOutcomes | None:
    """The control variate, as the gate takes it."""
    return found.control if found.control is not None and found.control.outcomes is not None else found.host


def _pair(pipeline: Steps, of: Callable[[Evaluated], Any], first: Evaluated, second: Evaluated) -> Pair:
    one, other = (pipeline.outcomes(of(found)) for found in (first, second))
    return one, other


def samples_saved(target: Pair, host: Pair) -> dict[str, Any]:
    """At which number of samples of the target the interval is as wide as that of `ALONE` without the host.

    The widths are means over `DRAWS` random parts of the target's samples.
    """
    rng = np.random.default_rng(17)
    orders = [rng.permutation(len(target[0])) for _ in range(DRAWS)]
    alone = _width(target, None, orders, ALONE)
    low, high = STEP, ALONE
    while high - low > STEP:
        middle = (low + high) // 2
        low, high = (low, middle) if _width(target, host, orders, middle) <= alone else (middle, high)
    matched = [match(theirs, ours) for theirs, ours in zip(host, target, strict=True)]
    beside, seen = zip(*matched, strict=True)
    correlation = np.corrcoef(_lost(*seen), _lost(*beside))[0, 1]
    return {
        "two_phase_samples": high / ALONE,
        "width": alone,
        "correlation": float(correlation),
        "host_samples": len(host[0]),
        "target_samples": len(target[0]),
    }


def _width(target: Pair, host: Pair | None, orders: list[Any], samples: int) -> float:
    """The mean width of the interval of the drop on so many samples of the target."""
    widths = []
    for order in orders:
        first, second = (outcomes.take(order[:samples]) for outcomes in target)
        low, high = compare(BUILT_IN["top1"], first, second, Design(), host=host).drop().bounds(CONFIDENCE)
        widths.append(high - low)
    return float(np.mean(widths))


def _lost(first: Outcomes, second: Outcomes) -> Any:
    assert first.score is not None
    assert second.score is not None
    return first.score.astype(float) - second.score
