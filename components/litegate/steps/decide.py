"""Step `decide`: what a person or a watching DAG decides about a version: roll back, pin, accept, reject, ..."""

from __future__ import annotations

from litegate.records import Decided, Decision
from litegate.tracking import runs
from litegate.tracking.deciding import decide
from litegate.work import Work

__all__ = ["run"]


def run(request: Decision, work: Work) -> Decided:
    """Write the decision to the channel's ledger and let its aliases follow.

    Raises:
        BadInput: it cannot be taken; nothing was written.
        StoreError: what would become champion is not what was judged, or the aliases do not hold.
    """
    decided = decide(runs.connect(), request, work.folder)
    entry = decided.entry
    work.say("%s: %s version %s by %s", request.channel, request.action, request.version, request.actor)
    work.say("%s: champion %s, before %s", request.channel, entry.after, entry.before)
    return decided
