"""Why an accepted version is not champion, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import dropwhile

from litegate.promotion.priority import Priority, best_first
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
        return f"version {now.champion} has priority: {_why_first(standing, now.champion, version)}"
    return f"version {version} was deleted, or its tags no longer have the judged verdict and digest"


def _why_first(standing: Standing, champion: int, version: int) -> str:
    """Why the champion has priority over an accepted version, among the versions that have none over the champion.

    A version with priority over the champion is not in the registry as it was judged, else it would be champion.
    """
    priorities = standing.promotable()
    left = {each: priorities[each] for each in dropwhile(lambda each: each != champion, best_first(priorities))}
    first = max(_open(left, champion), key=lambda priority: priority.rank)
    if first.chosen:
        return f"a roll-back named it (entry {first.end} of the ledger)"
    if _open(left, version):
        return f"its run overlapped with this one's and was due later, {first.due[:19]}"
    last = max(priority.end for priority in left[version])
    follower = champion if _begun(left[champion]) > last else _latest(left, version)
    whose = "its run" if follower == champion else f"the run of version {follower}"
    return f"{whose} began when this one had been accepted (entry {last} of the ledger)"


def _open(priorities: Mapping[int, Sequence[Priority]], version: int) -> list[Priority]:
    """The priorities of a version over which no other version has priority."""
    limit = _begun(priorities[_latest(priorities, version)])
    return [priority for priority in priorities[version] if priority.end >= limit]


def _latest(priorities: Mapping[int, Sequence[Priority]], version: int) -> int:
    """Of the other versions the one whose run began last."""
    return max((other for other in priorities if other != version), key=lambda other: _begun(priorities[other]))


def _begun(priorities: Sequence[Priority]) -> int:
    return max(priority.begun for priority in priorities)
