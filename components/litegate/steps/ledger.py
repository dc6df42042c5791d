"""Step `ledger`: read a channel's ledger, and make its aliases agree with it."""

from __future__ import annotations

from litegate.records import ChannelState, LedgerRequest
from litegate.tracking import runs
from litegate.tracking.deciding import reconcile, state_of
from litegate.work import Work

__all__ = ["run"]


def run(request: LedgerRequest, work: Work) -> ChannelState:
    """The channel as its ledger has it.

    Raises:
        StoreError: an entry is missing or was changed, or the aliases do not hold.
    """
    client = runs.connect()
    reconcile(client, request.channel, "litegate", work.folder)
    return state_of(client, request.channel)
