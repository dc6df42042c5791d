"""Why an accepted version is not champion, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import dropwhile

from litegate.promotion.place import Place, best_first
from litegate.promotion.standing import Standing
from litegate.records import Aliases

__all__ = ["why_blocked"]


def why_blocked(standing: Standing, version: int, now: Aliases) -> str:
    """What keeps `version` from being champion where the aliases are `now`."""
    entry = standing.revoked.get(version)
    if entry is not None:
        said = entry.decision
        same = "" if said.version == version else f", the same file as version {version},"
        return f"version {said.version}{same} was {said.action.replace('_', ' ')} by {said.actor} ({said.why})"
    if version not in standing.accepted:
        return f"version {version} was never accepted"
    if standing.frozen is not None and standing.frozen == now.champion:
        return f"version {standing.frozen} is frozen"
    if now.champion in standing.accepted:
        return f"version {now.champion} comes first: {_why_first(standing, now.champion, version)}"
    return f"version {version} was deleted, or its tags no longer say what was judged"


def _why_first(standing: Standing, champion: int, version: int) -> str:
    """Why the champion comes before an accepted version, by the places of those that do not come before the champion.

    What comes before it is not in the registry any more as it was judged, else it would be champion.
    """
    places = standing.promotable()
    left = {each: places[each] for each in dropwhile(lambda each: each != champion, best_first(places))}
    first = max(_open(left, champion), key=lambda place: place.rank)
    if first.chosen:
        return f"a roll-back named it (entry {first.end} of the ledger)"
    if _open(left, version):
        return f"its run overlapped with this one's and was due later, {first.due[:19]}"
    last = max(place.end for place in left[version])
    follower = champion if _begun(left[champion]) > last else _latest(left, version)
    whose = "its run" if follower == champion else f"the run of version {follower}"
    return f"{whose} began when this one had been accepted (entry {last} of the ledger)"


def _open(places: Mapping[int, Sequence[Place]], version: int) -> list[Place]:
    """The places of a version that no other version follows."""
    limit = _begun(places[_latest(places, version)])
    return [place for place in places[version] if place.end >= limit]


def _latest(places: Mapping[int, Sequence[Place]], version: int) -> int:
    """Of the other versions the one whose run began last."""
    return max((other for other in places if other != version), key=lambda other: _begun(places[other]))


def _begun(places: Sequence[Place]) -> int:
    return max(place.begun for place in places)
