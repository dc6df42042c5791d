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
    return _Recovering(float32, samples, request, say, lambda: clock() < end).run()


class _Recovering:
    """All that a search works with, and what it came to."""

    def __init__(
        self,
        float32: bytes,
        samples: Samples,
        request: RecoverRequest,
        say: Callable[..., None],
        in_time: Callable[[], bool],
    ) -> None:
        key = choose_signature(tuple(samples), request.signature)
        finding, tuning = halves(samples, request.seed)
        self.request, self.say = request, say
        self.counts = _count(finding[key]), _count(tuning[key])
        maker = MixedPrecision(float32, request.asked.base, Calibration(finding, self.counts[0]), say)
        self.network = network_of(float32, key)
        self.sensitivity = Sensitivity(float32, self.network, tuning[key], key, _batch(float32, key))
        tuner = Tuner(float32, tuning[key], key, request.output, request.classifies)
        self.combinations = Combinations(maker, tuner, self.network, in_time)

    def run(self) -> tuple[bytes, Recovery]:
        """Rank, search, and make what was found."""
        base, noise = self._base()
        self.say("recovered: %s loses %.4g of at most %.4g", self.request.asked.base, base.loss, self.request.limit)
        ranking = _ranking(self.combinations, noise, self.network)
        search = Search(self.combinations, self.sensitivity, self.network, self.request, base, self.say)
        ended = search.run()
        precisions, _ = search.result()
        return self.combinations.content(precisions), self._record(search, ended, ranking, base)

    def _base(self) -> tuple[Tuned, dict[int, Noise]]:
        """How the base file does, and where it adds noise."""
        try:
            base = self.combinations.base()
            return base, self.sensitivity.noise(self.combinations.content({}))
        except (RuntimeError, ValueError) as error:
            said = f"the base of recovered cannot be run: {' '.join(str(error).split())[:300]}"
            raise Refused(FailureKind.NOT_RUNNABLE, said) from error

    def _record(self, search: Search, ended: Ended, ranking: tuple[OperatorSensitivity, ...], base: Tuned) -> Recovery:
        precisions, after = search.result()
        return Recovery(
            base=self.request.asked.base,
            limit=self.request.limit,
            range_samples=self.counts[0],
            tuning_samples=self.counts[1],
            before=base,
            after=after,
            met=after.loss <= self.request.limit,
            ended=ended,
            combinations=len(self.combinations),
            precisions=changed(self.network, {}, precisions),
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
