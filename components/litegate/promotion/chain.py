"""The ledger as a chain: each entry carries the digest of the one before, so that a change shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from litegate.digest import digest_json
from litegate.errors import StoreError
from litegate.records import Decision, LedgerEntry

__all__ = ["chained", "check_chain", "entry_digest"]


def chained(entries: Sequence[LedgerEntry], decision: Decision, before: int | None, after: int | None) -> LedgerEntry:
    """The entry that records `decision` behind `entries`."""
    return LedgerEntry(
        number=len(entries),
        time=datetime.now(UTC).isoformat(),
        decision=decision.model_copy(update=dict(decision)),  # all of its fields are written, also those by default
        before=before,
        after=after,
        previous=entry_digest(entries[-1]) if entries else "",
    )


def entry_digest(entry: LedgerEntry) -> str:
    """SHA-256 of an entry's canonical JSON."""
    return digest_json(entry.to_json())


def check_chain(entries: Sequence[LedgerEntry], where: str, checked: int = 0) -> None:
    """Check that no entry is missing or was changed.

    Args:
        where: names the ledger, for the message.
        checked: how many of the first entries are known to fit.

    Raises:
        StoreError: naming the first entry that does not fit.
    """
    previous = entry_digest(entries[checked - 1]) if checked else ""
    for number, entry in enumerate(entries[checked:], checked):
        if entry.number != number:
            raise StoreError(f"{where}: expected entry {number}, got entry {entry.number}: one was removed")
        if entry.previous != previous:
            raise StoreError(f"{where}: entry {number} does not follow the one before it: one of them was changed")
        previous = entry_digest(entry)
