"""From a float32 file and its calibration samples to the file `recovered`, and how it came to be."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from litegate.datasets.representative import Samples
from litegate.engines.engine import Calibration, Refused
from litegate.engines.mixed_precision import MixedPrecision
from litegate.inspection.tflite import describe_unopened
from litegate.records import BiasCorrection, Equalization, FileRef, OperatorSensitivity, RecoverRequest, Recovery, Tuned
from litegate.recovery.bias_correction import Means, corrected
from litegate.recovery.combinations import Combinations
from litegate.recovery.equalizing import Equalized, equalize
from litegate.recovery.halves import halves
from litegate.recovery.kept import Kept
from litegate.recovery.network import network_of
from litegate.recovery.ranking import ranking_of
from litegate.recovery.search import Ended, Search, changed
from litegate.recovery.sensitivity import Sensitivity
from litegate.recovery.tuning import Tuner
from litegate.runtimes.batches import fixed_batch
from litegate.runtimes.litert import choose_signature
from litegate.spec.recover import Base

__all__ = ["recovered"]

Array = np.ndarray[Any, np.dtype[Any]]


def recovered(
    float32: bytes,
    samples: Samples,
    request: RecoverRequest,
    say: Callable[..., None],
    keep: Callable[[bytes], FileRef],
    clock: Callable[[], float] = time.monotonic,
    progress: Path | None = None,
) -> tuple[bytes, Recovery]:
    """Search for the smallest file that loses little enough.

    Args:
        float32: bytes of the baseline.
        samples: the calibration samples, by signature and input name.
        say: takes a line of the log, with arguments as `logging` does.
        keep: takes a file that is handed back beside the result.
        clock: in seconds.
        progress: a folder in which it keeps what it has measured, and finds what a try before it has; None for neither.

    Raises:
        BadInput: there are too few samples to tune with.
        Refused: the base file cannot be made or run.
    """
    kept = Kept(progress, clock)
    if kept.earlier:
        said = "recovered: goes on after what was measured before, %d of its files, in %.1f seconds"
        say(said, kept.earlier, kept.seconds)
    end = clock() + 60 * request.asked.budget_minutes - kept.seconds
    return _Recovering(float32, samples, request, say, lambda: clock() < end, kept).run(keep)


@dataclass(frozen=True)
class _Start:
    """What the search begins with: float32 or its equalized form, and how the base file made from it does."""

    float32: bytes
    maker: MixedPrecision
    combinations: Combinations
    base: Tuned
    equalization: Equalization | None = None


@dataclass(frozen=True)
class _Found:
    """What the search has come to."""

    content: bytes
    precisions: Mapping[int, str]
    tuned: Tuned
    correction: BiasCorrection | None = None


def _rank(tuned: Tuned) -> tuple[float, float]:
    """The smaller the better."""
    return tuned.loss, tuned.error


def _better(plain: _Start, found: Equalized, other: _Start, keep: Callable[[bytes], FileRef]) -> _Start:
    """The start from the equalized file, where its base file does better."""
    if _rank(other.base) >= _rank(plain.base):
        return plain
    file = keep(found.content)
    said = Equalization(pairs=found.pairs, difference=found.difference, before=plain.base, file=file)
    return replace(other, equalization=said)


class _Recovering:
    """All that a search works with, and what it came to."""

    def __init__(
        self,
        float32: bytes,
        samples: Samples,
        request: RecoverRequest,
        say: Callable[..., None],
        in_time: Callable[[], bool],
        kept: Kept,
    ) -> None:
        self.float32, self.request, self.say, self.in_time = float32, request, say, in_time
        self.kept = kept
        self.key = choose_signature(tuple(samples), request.signature)
        self.finding, tuning = halves(samples, request.seed)
        self.tuning = tuning[self.key]
        self.plain = self._maker(float32)  # the quantizer's word on the model comes before any other
        self.network, self.batch = network_of(float32, self.key), _batch(float32, self.key)
        self.tuner = Tuner(float32, self.tuning, self.key, request.output, request.classifies)

    def run(self, keep: Callable[[bytes], FileRef]) -> tuple[bytes, Recovery]:
        """Equalize where that helps, rank, search, and make what was found."""
        start = self._start(keep)
        self.say("recovered: %s loses %.4g of at most %.4g", self._base, start.base.loss, self.request.limit)
        sensitivity = Sensitivity(start.float32, self.network, self.tuning, self.key, self.batch)
        ranking = ranking_of(start.combinations, sensitivity, self.network)
        search = Search(start.combinations, sensitivity, self.network, self.request, start.base, self.say)
        ended = search.run()
        precisions, tuned = search.result()
        found = _Found(start.combinations.content(precisions), precisions, tuned)
        found = self._corrected(start, found, keep)
        if self.request.asked.correct_bias and not self.in_time():
            ended = "time"  # for which biases may have been left as they were
        return found.content, self._record(start, search, ended, ranking, found)

    @property
    def _base(self) -> Base:
        return self.request.asked.base

    def _maker(self, source: bytes) -> MixedPrecision:
        return MixedPrecision(source, self._base, Calibration(self.finding, _count(self.finding[self.key])), self.say)

    def _begun(self, source: bytes, maker: MixedPrecision) -> _Start:
        combinations = Combinations(maker, self.tuner, self.network, self.in_time, self.kept.of(source))
        return _Start(source, maker, combinations, combinations.base())

    def _start(self, keep: Callable[[bytes], FileRef]) -> _Start:
        """From float32 or its equalized form, whichever base file does better."""
        plain, features = self._begun(self.float32, self.plain), self.finding[self.key]
        asked = self.request.asked.equalize
        found = equalize(self.float32, self.key, self.network.graph, features, self.batch) if asked else None
        if found is None:
            return plain
        try:
            other = self._begun(found.content, self._maker(found.content))
        except Refused:
            return plain
        return _better(plain, found, other, keep)

    def _corrected(self, start: _Start, found: _Found, keep: Callable[[bytes], FileRef]) -> _Found:
        """With corrected biases, where that makes the file better.

        Only once all precisions are known: a bias that makes up for 8 bits is wrong in float32.
        """
        if not self.request.asked.correct_bias:
            return found
        means = Means(self.key, self.network.graph, self.finding[self.key], self.batch)
        precisions = {self.network.nodes[number].address: each for number, each in found.precisions.items()}

        def quantized(source: bytes) -> bytes:
            return start.maker.of(source).make(precisions)

        try:
            better = corrected(start.float32, quantized, means, self.in_time)
            content = quantized(better[0]) if better else None
            tuned = self.tuner.measure(content) if content else None
        except (Refused, RuntimeError, ValueError):
            return found  # it runs with XNNPACK alone, which keeps no tensors, or not with these biases
        if not better or not content or not tuned or _rank(tuned) >= _rank(found.tuned):
            return found
        said = BiasCorrection(layers=better[1], before=found.tuned, file=keep(better[0]))
        return _Found(content, found.precisions, tuned, said)

    def _record(
        self, start: _Start, search: Search, ended: Ended, ranking: tuple[OperatorSensitivity, ...], found: _Found
    ) -> Recovery:
        return Recovery(
            base=self._base,
            limit=self.request.limit,
            range_samples=_count(self.finding[self.key]),
            tuning_samples=_count(self.tuning),
            equalization=start.equalization,
            correction=found.correction,
            before=start.base,
            after=found.tuned,
            met=found.tuned.loss <= self.request.limit,
            ended=ended,
            combinations=len(start.combinations),
            precisions=changed(self.network, {}, found.precisions),
            ranking=ranking,
            steps=tuple(search.steps),
        )


def _count(features: Mapping[str, Array]) -> int:
    return len(next(iter(features.values())))


def _batch(float32: bytes, key: str) -> int:
    """How many samples are run at once: one, where the model takes any number."""
    inputs = describe_unopened(float32)[key].inputs.values()
    return fixed_batch(each.shape for each in inputs) or 1
