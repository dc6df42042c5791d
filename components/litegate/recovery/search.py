"""The search: operators are lifted to another precision until little enough is lost, and then as many as may go back.

Greedy, by what was measured: each step looks anew where noise is added, tries the worst places, and takes what brings
most for its bytes. Nothing but the time it may take is left to chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from litegate.records import OperatorPrecision, RecoverRequest, RecoveryStep, Tuned
from litegate.recovery.combinations import Combinations, OutOfTime, Precisions
from litegate.recovery.network import Network
from litegate.recovery.sensitivity import Sensitivity, ranks

__all__ = ["Ended", "Option", "Search", "best_of", "changed", "lifted"]

Ended = Literal["done", "steps", "time", "nothing_helps"]

_WORST = 6
"""Operators that are tried in a step before the next ones are."""
_LIFTING = ("float32", "int16x8")


@dataclass(frozen=True)
class Option:
    """A file that may be taken."""

    precisions: dict[int, str]
    tuned: Tuned


class Search:
    """One search, from the base file on.

    Args:
        base: how the file does in which nothing is changed.
        say: takes a line of the log, with arguments as `logging` does.
    """

    def __init__(
        self,
        combinations: Combinations,
        sensitivity: Sensitivity,
        network: Network,
        request: RecoverRequest,
        base: Tuned,
        say: Callable[..., None],
    ) -> None:
        self._combinations, self._sensitivity, self._network = combinations, sensitivity, network
        self._request, self._say = request, say
        self._now = Option({}, base)
        self.steps: list[RecoveryStep] = []

    def run(self) -> Ended:
        """Search; what was found is with the combinations and the steps."""
        try:
            ended = self._lift()
            if self._enough:
                self._shrink()
        except OutOfTime:
            return "time"
        return ended

    def result(self) -> tuple[dict[int, str], Tuned]:
        """The precisions of the file that is taken, and how it does.

        Where little enough is lost, that is what the steps have led to; else the best of all that was measured.
        """
        if self._enough:
            return self._now.precisions, self._now.tuned
        return self._combinations.best(self._request.limit, self._request.asked.may_use)

    @property
    def _enough(self) -> bool:
        return self._now.tuned.loss <= self._request.limit

    def _lift(self) -> Ended:
        while not self._enough:
            if len(self.steps) >= self._request.asked.max_steps:
                return "steps"
            best, tried = self._best_step()
            if best is None:
                return "nothing_helps"
            self._take(best, tried)
        return "done"

    def _best_step(self) -> tuple[Option | None, int]:
        """The best of what the worst operators offer, or else the next ones; and how much was tried."""
        worst = ranks(self._sensitivity.noise(self._combinations.content(self._now.precisions)))
        tried: list[Option] = []
        for start in range(0, len(worst), _WORST):
            tried += self._measured(self._lifted(worst[start : start + _WORST]))
            best = best_of(self._now.tuned, tried, self._request.limit)
            if best is not None:
                return best, len(tried)
        return None, len(tried)

    def _lifted(self, numbers: Sequence[int]) -> Iterator[dict[int, str]]:
        """What can be had by lifting operators, alone or with those around them; each once."""
        seen: set[tuple[tuple[int, str], ...]] = set()
        for region in (region for number in numbers for region in self._network.regions(number)):
            for precision in (each for each in _LIFTING if each in self._request.asked.may_use):
                found = self._now.precisions | lifted(region, precision, self._now.precisions, self._combinations)
                key = tuple(sorted(found.items()))
                if found != self._now.precisions and key not in seen:
                    seen.add(key)
                    yield found

    def _measured(self, found: Iterator[dict[int, str]]) -> Iterator[Option]:
        for precisions in found:
            tuned = self._combinations.measure(precisions)
            if tuned is not None:
                yield Option(precisions, tuned)

    def _shrink(self) -> None:
        """Take back what is not needed any more, and give weights fewer bits, as long as enough is kept."""
        for number, precision in [*self._back(), *self._fewer_bits()][: self._request.asked.max_steps]:
            if precision == "int16x8" and number not in self._now.precisions:
                continue  # it was taken back already
            found = {each: kept for each, kept in self._now.precisions.items() if each != number}
            if precision is not None:
                found[number] = precision
            tuned = self._combinations.measure(found)
            if tuned is not None and found != self._now.precisions:
                smaller = tuned.bytes < self._now.tuned.bytes
                self._take(Option(found, tuned), 1, smaller and tuned.loss <= self._request.limit)

    def _back(self) -> Iterator[tuple[int, str | None]]:
        """Operators that were lifted, those with most weights first: as in the base file, or in 16 bits."""
        for number in self._heaviest(self._now.precisions):
            yield number, None
            if self._now.precisions[number] == "float32" and "int16x8" in self._request.asked.may_use:
                yield from [(number, "int16x8")] * self._combinations.can(number, "int16x8")

    def _fewer_bits(self) -> Iterator[tuple[int, str]]:
        """The others, those with most weights first."""
        if "int4" in self._request.asked.may_use:
            others = (number for number in range(len(self._network.nodes)) if number not in self._now.precisions)
            for number in self._heaviest(others):
                if self._network.nodes[number].weights and self._combinations.can(number, "int4"):
                    yield number, "int4"

    def _heaviest(self, numbers: Iterator[int] | Mapping[int, str]) -> list[int]:
        return sorted(numbers, key=lambda number: (-self._network.nodes[number].weights, number))

    def _take(self, option: Option, tried: int, kept: bool = True) -> None:
        operators = changed(self._network, self._now.precisions, option.precisions)
        step = RecoveryStep(operators=operators, before=self._now.tuned, after=option.tuned, tried=tried, kept=kept)
        self.steps.append(step)
        names = ", ".join(f"{each.operator} {each.precision or 'as it was'}" for each in operators)
        said = "recovered: step %d: %s: loss %.4g -> %.4g, %+d bytes%s"
        grown = option.tuned.bytes - self._now.tuned.bytes
        missed = "" if kept else ", not kept"
        self._say(said, len(self.steps), names, self._now.tuned.loss, option.tuned.loss, grown, missed)
        if kept:
            self._now = option


def lifted(region: frozenset[int], precision: str, now: Precisions, combinations: Combinations) -> dict[int, str]:
    """The nodes of a region that can be lifted to a precision; those in float32 stay there."""
    return {
        number: precision
        for number in sorted(region)
        if now.get(number) != "float32" and combinations.can(number, precision)
    }


def changed(network: Network, before: Precisions, after: Precisions) -> tuple[OperatorPrecision, ...]:
    """The operators whose precisions differ, with the one that they have after."""
    numbers = sorted(number for number in {*before, *after} if before.get(number) != after.get(number))
    return tuple(
        OperatorPrecision.model_validate(
            {
                "operator": network.nodes[number].place,
                "layer": network.nodes[number].layer,
                "precision": after.get(number),
            }
        )
        for number in numbers
    )


def best_of(now: Tuned, options: Sequence[Option], limit: float) -> Option | None:
    """The smallest that is within the limit, else what gains most for each byte; None where nothing gains.

    What gains is a prediction that is float32's again, and only where none does so, a smaller error of the outputs.
    """
    within = [option for option in options if option.tuned.loss <= limit]
    if within:
        return min(within, key=lambda option: (option.tuned.bytes, option.tuned.loss, len(option.precisions)))
    changes = [(now.loss - option.tuned.loss, option) for option in options]
    smoother = [(now.error - option.tuned.error, option) for option in options]
    for gains in (changes, smoother):
        helping = [(gain / _cost(now, option.tuned), option) for gain, option in gains if gain > 0]
        if helping:
            return max(helping, key=lambda pair: pair[0])[1]
    return None


def _cost(now: Tuned, tuned: Tuned) -> int:
    """Bytes; a file that does not grow costs one."""
    return max(1, tuned.bytes - now.bytes)
