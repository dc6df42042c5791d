"""Why an accepted version is not champion, in one sentence."""

from __future__ import annotations

from litegate.promotion.place import Place
from litegate.promotion.standing import Standing
from litegate.records import Aliases

__all__ = ["why_held"]


def why_held(standing: Standing, version: int, now: Aliases) -> str:
    """What keeps `version` from being champion where the aliases are `now`."""
    entry = standing.barred.get(version)
    if entry is not None:
        said = entry.decision
        same = "" if said.version == version else f", the same file as version {version},"
        return f"version {said.version}{same} was {said.action.replace('_', ' ')} by {said.actor} ({said.why})"
    if version not in standing.accepted:
        return f"version {version} was never accepted"
    if standing.pin is not None and standing.pin == now.champion:
        return f"version {standing.pin} is pinned"
    if now.champion in standing.accepted:
        return _later(now.champion, standing.accepted[now.champion], standing.accepted[version])
    return f"version {version} was deleted, or its tags no longer say what was judged"


def _later(champion: int, first: Place, second: Place) -> str:
    """Why another version comes first."""
    if first.follows(second):
        why = f"its run began when this one had been accepted (entry {second.end} of the ledger)"
    else:
        why = f"its run overlapped with this one's and was due later, {first.due[:19]}"
    return f"version {champion} comes first: {why}"
