"""Step `read_ledger`: where the ledger stands when a run begins, so that the run's version gets its place among others.

Its result is kept under the run's key: a run that is retried or cleared later began when it first did.
"""

from __future__ import annotations

from litegate.records import Position, PositionRequest
from litegate.tracking import runs
from litegate.tracking.ledger import Ledger
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: PositionRequest, work: Work) -> Position:
    """Count the entries.

    Raises:
        StoreError: an entry is missing or was changed.
    """
    found = Position(entries=len(Ledger(runs.connect(), request.channel).entries()))
    work.say("%s: the ledger has %d entries", request.channel, found.entries)
    return found
