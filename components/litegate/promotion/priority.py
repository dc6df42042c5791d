"""Which of two accepted versions has priority: the order of the ledger, not of clocks.

An acceptance is an interval in the ledger: `begun` entries were there when its run began, and it became entry `end`
itself. A run that began when another's entry was there already comes after it, whatever any clock said. Only between
runs that overlapped, of which neither could know of the other, does the moment decide for which each was due; so a
wrong clock has an effect until the next run that begins after it, and no longer.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from litegate.records import LedgerEntry

__all__ = ["Priority", "best_first", "chosen_by", "priority_of"]


@dataclass(frozen=True)
class Priority:
    """What one ledger entry says for a version; a version has as many as it has such entries.

    Attributes:
        begun: number of entries that the run knew of when it began; 0 where that is not known.
        end: number of the entry by which the version came into the ledger.
        due: the moment for which the run was due, ISO 8601 in UTC.
        chosen: whether somebody named the version in a roll-back: no run that overlaps comes before it.
    """

    begun: int
    end: int
    due: str
    chosen: bool = False

    @property
    def rank(self) -> tuple[bool, str]:
        """What decides between priorities that overlap; the larger comes first."""
        return self.chosen, self.due


def priority_of(entry: LedgerEntry) -> Priority:
    """The priority that a run's entry gives its version."""
    decision = entry.decision
    begun = 0 if decision.begun is None else min(decision.begun, entry.number)
    return Priority(begun, entry.number, decision.order or entry.time)


def chosen_by(entry: LedgerEntry) -> Priority:
    """The priority that a roll-back gives the version that it names: over all that was in the ledger."""
    return Priority(entry.number, entry.number, entry.time, chosen=True)


def best_first(priorities: Mapping[int, Sequence[Priority]]) -> Iterator[int]:
    """The versions in their order.

    A priority is open as long as no other version that is still to come has one whose run began when its entry was
    there. The version with the best open priority is next; of equal ones the higher version. So no version comes before
    one that follows all of its priorities, and a further priority never puts the first version behind another.

    Takes O(n log n) steps for n priorities.
    """
    left = _Left(priorities)
    while left:
        yield left.pop()


class _Left:
    """The versions that are still to come.

    Only the version whose run began last has another limit than the rest, for no version closes its own priorities.
    """

    def __init__(self, priorities: Mapping[int, Sequence[Priority]]) -> None:
        self._begun = {version: max(priority.begun for priority in own) for version, own in priorities.items()}
        self._by_begun = sorted(self._begun, key=self._begun.__getitem__, reverse=True)
        every = ((one.rank, version, one.end) for version, own in priorities.items() for one in own)
        best = sorted(every, reverse=True)  # of tuples, since a key for each of 10,000 takes longer than to sort them
        self._closed = sorted((end, number, version) for number, (_, version, end) in enumerate(best))
        self._own: dict[int, list[tuple[int, int, int]]] = {version: [] for version in priorities}
        for item in self._closed:
            self._own[item[2]].append(item)
        self._open: list[tuple[int, int]] = []
        self._given: set[int] = set()
        self._first, self._second = 0, 1

    def __len__(self) -> int:
        return len(self._begun) - len(self._given)

    def pop(self) -> int:
        """Take the best one away."""
        self._first = self._skip(self._first)
        self._second = self._skip(max(self._second, self._first + 1))
        self._open_from(self._closed, self._limit(self._first))
        self._open_from(self._own[self._by_begun[self._first]], self._limit(self._second))
        while self._open[0][1] in self._given:
            heapq.heappop(self._open)
        version = self._open[0][1]
        self._given.add(version)
        return version

    def _open_from(self, closed: list[tuple[int, int, int]], limit: int) -> None:
        while closed and closed[-1][0] >= limit:
            _, number, version = closed.pop()
            heapq.heappush(self._open, (number, version))

    def _limit(self, position: int) -> int:
        """How many entries the latest run of that version knew of when it began."""
        return self._begun[self._by_begun[position]] if position < len(self._by_begun) else 0

    def _skip(self, position: int) -> int:
        while position < len(self._by_begun) and self._by_begun[position] in self._given:
            position += 1
        return position
