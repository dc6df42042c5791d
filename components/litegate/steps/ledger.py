"""Step `ledger`: read the ledger of a registered-model alias and, if asked to, make its aliases agree with it."""

from __future__ import annotations

from litegate.promotion import check_chain
from litegate.records import ChannelState, LedgerRequest
from litegate.tracking import aliases, runs
from litegate.tracking.deciding import reconcile, state_of
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: LedgerRequest, work: Work) -> ChannelState:
    """The alias as its ledger has it, with where its aliases pointed before.

    Raises:
        StoreError: an entry is missing or was changed, or the aliases do not hold.
    """
    client, channel = runs.connect(), request.channel
    found = aliases.found(client, channel)
    if request.reconcile:
        reconcile(client, channel, request.actor, work.folder)
    state = state_of(client, channel).model_copy(update={"found": found})
    check_chain(state.entries, f"ledger of {channel}")  # a decision trusts the archive of a page, a person need not
    if state.entries and found != state.aliases:
        work.say("%s: its aliases pointed to %s, and belong to %s", channel, found, state.aliases)
    return state
