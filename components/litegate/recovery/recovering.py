"""From a float32 file and its calibration samples to the file `recovered`, and how it came to be."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from litegate.datasets.representative import Samples
from litegate.engines.engine import Calibration, Refused
from litegate.engines.mixed_precision import MixedPrecision
from litegate.failures import FailureKind
from litegate.inspection.tflite import describe_unopened
from litegate.records import OperatorSensitivity, RecoverRequest, Recovery, Tuned
from litegate.recovery.combinations import Combinations, OutOfTime
from litegate.recovery.halves import halves
from litegate.recovery.network import Network, network_of
from litegate.recovery.search import Ended, Search, changed, lifted
from litegate.recovery.sensitivity import Noise, Sensitivity, ranks
from litegate.recovery.tuning import Tuner
from litegate.runtimes.batches import fixed_batch
from litegate.runtimes.litert import choose_signature

__all__ = ["recovered"]

Array = np.ndarray[Any, np.dtype[Any]]

_RANKED, _MEASURED = 20, 6
"""Operators of the ranking, and those of them that are measured in float32."""


def recovered(
    float32: bytes,
    samples: Samples,
    request: RecoverRequest,
    say: Callable[..., None],
    clock: Callable[[], float] = time.monotonic,
) -> tuple[bytes, Recovery]:
    """Search for the smallest file that loses little enough.

    Args:
        float32: bytes of the baseline.
        samples: the calibration samples, by signature and input name.
        say: takes a line of the log, with arguments as `logging` does.
        clock: in seconds.

    Raises:
        BadInput: there are too few samples to tune with.
        Refused: the base file cannot be made or run.
    """
    end = clock() + 60 * request.asked.budget_minutes
    key = choose_signature(tuple(samples), request.signature)
    finding, tuning = halves(samples, request.seed)
    count = _count(finding[key])
    maker = MixedPrecision(float32, request.asked.base, Calibration(finding, count), say)
    network = network_of(float32, key)
    tuner = Tuner(float32, tuning[key], key, request.output, request.classifies)
    sensitivity = Sensitivity(float32, network, tuning[key], key, _batch(float32, key))
    combinations = Combinations(maker, tuner, network, lambda: clock() < end)
    try:
        base = combinations.base()
        noise = sensitivity.noise(combinations.content({}))
    except (RuntimeError, ValueError) as error:
        said = f"the base of recovered cannot be run: {' '.join(str(error).split())[:300]}"
        raise Refused(FailureKind.NOT_RUNNABLE, said) from error
    search = Search(combinations, sensitivity, network, request, base, say)
    say("recovered: %s loses %.4g of at most %.4g", request.asked.base, base.loss, request.limit)
    ranking = _ranking(combinations, noise, network)
    ended = search.run()
    return _result(request, network, combinations, search, ended, ranking, (count, _count(tuning[key])), base)


def _result(
    request: RecoverRequest,
    network: Network,
    combinations: Combinations,
    search: Search,
    ended: Ended,
    ranking: tuple[OperatorSensitivity, ...],
    samples: tuple[int, int],
    base: Tuned,
) -> tuple[bytes, Recovery]:
    precisions, after = search.result()
    return combinations.content(precisions), Recovery(
        base=request.asked.base,
        limit=request.limit,
        range_samples=samples[0],
        tuning_samples=samples[1],
        before=base,
        after=after,
        met=after.loss <= request.limit,
        ended=ended,
        combinations=len(combinations),
        precisions=changed(network, {}, precisions),
        ranking=ranking,
        steps=tuple(search.steps),
    )


def _ranking(
    combinations: Combinations, noise: Mapping[int, Noise], network: Network
) -> tuple[OperatorSensitivity, ...]:
    """The operators of the base file that add most noise; the worst of them with what float32 does for them."""
    return tuple(
        OperatorSensitivity(
            operator=network.nodes[number].place,
            layer=network.nodes[number].layer,
            error=noise[number].error,
            snr_db=noise[number].snr_db,
            added=noise[number].added,
            **(_in_float(combinations, network, number) if place < _MEASURED else {}),
        )
        for place, number in enumerate(ranks(noise)[:_RANKED])
    )


def _in_float(combinations: Combinations, network: Network, number: int) -> dict[str, Tuned | None]:
    """An operator alone in float32, and with those around it: on a target without floats this is for people alone."""
    try:
        alone, *around = (
            combinations.measure(lifted(region, "float32", {}, combinations)) for region in network.regions(number)
        )
    except OutOfTime:
        return {}
    known = [each for each in around if each is not None]
    best = min(known, key=lambda each: (each.loss, each.error, each.bytes), default=None)
    return {"in_float": alone, "around": best}


def _count(features: Mapping[str, Array]) -> int:
    return len(next(iter(features.values())))


def _batch(float32: bytes, key: str) -> int:
    """How many samples are run at once: one, where the model takes any number."""
    inputs = describe_unopened(float32)[key].inputs.values()
    return fixed_batch(each.shape for each in inputs) or 1
