"""Files in which single operators have precisions of their own, made and measured, each once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from litegate.engines.engine import Refused
from litegate.engines.mixed_precision import MixedPrecision
from litegate.failures import FailureKind
from litegate.records import Tuned
from litegate.recovery.kept import KeptOf
from litegate.recovery.network import Network
from litegate.recovery.tuning import Tuner

__all__ = ["Combinations", "OutOfTime", "Precisions"]

Precisions = Mapping[int, str]
"""By the number of a node in its network, for those that are not as in the base file."""

_Key = tuple[tuple[int, str], ...]


class OutOfTime(Exception):
    """Nothing more may be made."""


class Combinations:
    """Those that were measured so far; none is thrown away.

    Args:
        in_time: whether there is time for one more.
        kept: what was measured before the search was killed.
    """

    def __init__(
        self, maker: MixedPrecision, tuner: Tuner, network: Network, in_time: Callable[[], bool], kept: KeptOf
    ) -> None:
        self._maker, self._tuner, self._network, self._in_time = maker, tuner, network, in_time
        self._kept = kept
        self._found: dict[_Key, Tuned | None] = {}

    def __len__(self) -> int:
        return sum(found is not None for found in self._found.values())

    def base(self) -> Tuned:
        """The file in which nothing is changed, whatever the time.

        Raises:
            Refused: it cannot be made or run.
        """
        try:
            found = self._kept.get(())[1] or self._tuner.measure(self.content({}))
        except (RuntimeError, ValueError) as error:
            said = f"the base of recovered cannot be run: {' '.join(str(error).split())[:300]}"
            raise Refused(FailureKind.NOT_RUNNABLE, said) from error
        self._keep((), found)
        return found

    def measure(self, precisions: Precisions) -> Tuned | None:
        """How the file does; None where it cannot be made or run.

        Raises:
            OutOfTime: it was not measured before, and there is no time left.
        """
        key = _key(precisions)
        if key not in self._found:
            known, found = self._kept.get(key)
            if not known:
                if not self._in_time():
                    raise OutOfTime
                found = self._measured(precisions)
            self._keep(key, found)
        return self._found[key]

    def _keep(self, key: _Key, found: Tuned | None) -> None:
        self._found[key] = found
        if not self._kept.get(key)[0]:
            self._kept.add(key, found)

    def can(self, number: int, precision: str) -> bool:
        """Whether a node can have a precision."""
        return self._maker.can(self._network.nodes[number].address[0], precision)

    def content(self, precisions: Precisions) -> bytes:
        """The bytes of a file.

        Raises:
            Refused: it cannot be made.
        """
        return self._maker.make(
            {self._network.nodes[number].address: precision for number, precision in precisions.items()}
        )

    def best(self, limit: float, may_use: Collection[str]) -> tuple[dict[int, str], Tuned]:
        """The smallest file whose loss is within the limit; where there is none, the one that loses least.

        Args:
            may_use: the precisions that it may have; others were only measured.
        """

        def cost(item: tuple[_Key, Tuned]) -> tuple[float, ...]:
            key, found = item
            sizes = (found.bytes, found.loss) if found.loss <= limit else (found.loss, found.bytes)
            return (float(found.loss > limit), *sizes, found.error, len(key), *(number for number, _ in key))

        allowed = [
            (key, found)
            for key, found in self._found.items()
            if found is not None and all(precision in may_use for _, precision in key)
        ]
        key, found = min(allowed, key=cost)
        return dict(key), found

    def _measured(self, precisions: Precisions) -> Tuned | None:
        try:
            return self._tuner.measure(self.content(precisions))
        except (Refused, RuntimeError, ValueError):
            return None


def _key(precisions: Precisions) -> _Key:
    return tuple(sorted(precisions.items()))
