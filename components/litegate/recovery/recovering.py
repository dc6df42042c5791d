"""From a float32 file and its calibration samples to the file `recovered`, and how it came to be."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.datasets.representative import Samples
from litegate.engines.engine import Calibration
from litegate.engines.mixed_precision import MixedPrecision
from litegate.inspection.tflite import describe_unopened
from litegate.records import Equalization, FileRef, OperatorSensitivity, RecoverRequest, Recovery, Tuned
from litegate.recovery.combinations import Combinations, OutOfTime
from litegate.recovery.equalizing import Equalized, equalize
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
    keep: Callable[[bytes], FileRef],
    clock: Callable[[], float] = time.monotonic,
) -> tuple[bytes, Recovery]:
    """Search for the smallest file that loses little enough.

    Args:
        float32: bytes of the baseline.
        samples: the calibration samples, by signature and input name.
        say: takes a line of the log, with arguments as `logging` does.
        keep: takes a file that is handed back beside the result.
        clock: in seconds.

    Raises:
        BadInput: there are too few samples to tune with.
        Refused: the base file cannot be made or run.
    """
    end = clock() + 60 * request.asked.budget_minutes
    key = choose_signature(tuple(samples), request.signature)
    finding, tuning = halves(samples, request.seed)
    count = _count(finding[key])

    def maker_of(source: bytes) -> MixedPrecision:
        return MixedPrecision(source, request.asked.base, Calibration(finding, count), say)

    def combined(maker: MixedPrecision) -> Combinations:
        return Combinations(maker, tuner, network, lambda: clock() < end)

    plain = maker_of(float32)
    network, batch = network_of(float32, key), _batch(float32, key)
    tuner = Tuner(float32, tuning[key], key, request.output, request.classifies)
    found = equalize(float32, key, network.graph, finding[key], batch) if request.asked.equalize else None
    combinations = combined(plain)
    start = _Start(float32, combinations, combinations.base())
    if found is not None:
        start = _better(start, found, combined(maker_of(found.content)), keep)
    sensitivity = Sensitivity(start.float32, network, tuning[key], key, batch)
    search = Search(start.combinations, sensitivity, network, request, start.base, say)
    say("recovered: %s loses %.4g of at most %.4g", request.asked.base, start.base.loss, request.limit)
    ranking = _ranking(start.combinations, sensitivity.noise(start.combinations.content({})), network)
    ended = search.run()
    return _result(request, network, start, search, ended, ranking, (count, _count(tuning[key])))


@dataclass(frozen=True)
class _Start:
    """What the search begins with: float32 or its equalized form, and how the base file made from it does."""

    float32: bytes
    combinations: Combinations
    base: Tuned
    equalization: Equalization | None = None


def _better(
    plain: _Start, equalized: Equalized, combinations: Combinations, keep: Callable[[bytes], FileRef]
) -> _Start:
    """The start from the equalized file, where its base file does better."""
    base = combinations.base()
    if (base.loss, base.error) >= (plain.base.loss, plain.base.error):
        return plain
    file = keep(equalized.content)
    found = Equalization(pairs=equalized.pairs, difference=equalized.difference, before=plain.base, file=file)
    return _Start(equalized.content, combinations, base, found)


def _result(
    request: RecoverRequest,
    network: Network,
    start: _Start,
    search: Search,
    ended: Ended,
    ranking: tuple[OperatorSensitivity, ...],
    samples: tuple[int, int],
) -> tuple[bytes, Recovery]:
    precisions, after = search.result()
    return start.combinations.content(precisions), Recovery(
        base=request.asked.base,
        limit=request.limit,
        range_samples=samples[0],
        tuning_samples=samples[1],
        equalization=start.equalization,
        before=start.base,
        after=after,
        met=after.loss <= request.limit,
        ended=ended,
        combinations=len(start.combinations),
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
