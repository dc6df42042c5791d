"""Which of two accepted versions comes first: the order of the ledger, not of clocks.

An acceptance is an interval in the ledger: `begun` entries were there when its run began, and it became entry `end`
itself. A run that began when another's entry was there already comes after it, whatever any clock said. Only between
runs that overlapped, of which neither could know of the other, does the moment decide for which each was due; so a
wrong clock has an effect until the next run that begins after it, and no longer.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from litegate.records import LedgerEntry

__all__ = ["Place", "best_first", "place_of"]


@dataclass(frozen=True)
class Place:
    """The place of a version among others.

    Attributes:
        begun: number of entries that the run knew of when it began; 0 where that is not known.
        end: number of the entry by which the version came into the ledger.
        due: the moment for which the run was due, ISO 8601 in UTC.
    """

    begun: int
    end: int
    due: str

    def follows(self, other: Place) -> bool:
        """Whether its run began when the other's entry was there."""
        return self.begun > other.end

    def better(self, other: Place | None) -> Place:
        """Of two places of one version the one that counts."""
        if other is None or self.follows(other):
            return self
        return other if other.follows(self) or other.due > self.due else self


def place_of(entry: LedgerEntry) -> Place:
    """Where an entry puts its version."""
    decision = entry.decision
    begun = 0 if decision.begun is None else min(decision.begun, entry.number)
    return Place(begun, entry.number, decision.order or entry.time)


def best_first(places: Mapping[int, Place]) -> Iterator[int]:
    """The versions in their order: none before one that follows it, and of those that overlap the latest due first.

    Takes O(n log n) steps for n versions.
    """
    by_due = sorted(places, key=lambda version: (places[version].due, version), reverse=True)
    rank = {version: number for number, version in enumerate(by_due)}
    begun = [(-place.begun, version) for version, place in places.items()]
    ends = [(-place.end, version) for version, place in places.items()]
    heapq.heapify(begun)
    heapq.heapify(ends)
    open_: list[tuple[int, int]] = []
    given: set[int] = set()
    while len(given) < len(places):
        while begun[0][1] in given:
            heapq.heappop(begun)
        latest = -begun[0][0]  # what ended before it is followed by something that is left
        while ends and -ends[0][0] >= latest:
            version = heapq.heappop(ends)[1]
            heapq.heappush(open_, (rank[version], version))
        best = heapq.heappop(open_)[1]
        given.add(best)
        yield best
