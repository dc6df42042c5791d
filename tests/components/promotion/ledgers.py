"""Decisions and ledgers in a line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litegate.promotion import VersionFacts, chained
from litegate.records import Decision, LedgerEntry, RegisteredAlias

CHANNEL = RegisteredAlias(registry="m")


def at(day: int) -> str:
    return f"2026-01-{day:02}T00:00:00.000000+00:00"


def decision(action: Any, version: int | None = None, day: int | None = None, **fields: Any) -> Decision:
    digest = f"sha-{version}" if action in ("nominated", "accepted") and "digest" not in fields else None
    order = None if day is None else at(day)
    given = {"key": f"{action} {version} {day}", "actor": "ann", "why": "because", "order": order} | fields
    return Decision(channel=CHANNEL, action=action, version=version, **({"digest": digest} | given))


def ledger(*decisions: Decision) -> tuple[LedgerEntry, ...]:
    entries: tuple[LedgerEntry, ...] = ()
    for each in decisions:
        entries = (*entries, chained(entries, each, None, None))
    return entries


def registry(
    *, failed: tuple[int, ...] = (), gone: tuple[int, ...] = (), changed: tuple[int, ...] = ()
) -> Callable[[int], VersionFacts | None]:
    """What the registry says of versions: that they passed with their own digest, but for those that are named."""

    def facts(version: int) -> VersionFacts | None:
        if version in gone:
            return None
        return VersionFacts(version, version not in failed, "other" if version in changed else f"sha-{version}")

    return facts
