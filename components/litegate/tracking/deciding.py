"""Take a decision about a registered-model alias: write it to the ledger, and let the aliases follow."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from litegate.attestation.signing import signer
from litegate.errors import BadInput, StoreError
from litegate.promotion import (
    Standing,
    VersionFacts,
    aliases_of,
    chained,
    eligible_versions,
    outcome_refusal,
    refusal,
    standing_of,
)
from litegate.records import Aliases, ChannelState, Decided, Decision, LedgerEntry, RegisteredAlias, Revoked
from litegate.tracking import aliases, registry
from litegate.tracking.ledger import Ledger
from litegate.tracking.proof import prove

__all__ = ["decide", "reconcile", "state_of"]

TRIES = 100


def decide(client: MlflowClient, decision: Decision, folder: Path) -> Decided:
    """Record `decision` and move the aliases as it asks; one that was recorded before is only followed.

    Args:
        folder: where files may be downloaded to, to prove them.

    Raises:
        BadInput: the decision cannot be taken, or the key that is to sign is none; nothing was written.
        StoreError: the version that would become champion is not what was judged, or MLflow does not keep up.
    """
    signer()  # a key that is none is told before anything is written
    ledger = Ledger(client, decision.channel)
    entry = None
    while entry is None:
        known = ledger.entries()
        entry = _recorded(known, decision) or _write(ledger, known, decision, folder)
    followed = _follow(client, ledger, folder)
    return Decided(entry=entry, aliases=followed, moved=entry.after != entry.before)


def reconcile(client: MlflowClient, channel: RegisteredAlias, actor: str, folder: Path) -> Aliases:
    """Make the aliases agree with the ledger; harmless at any time.

    Raises:
        StoreError: they do not stay, or the version that the ledger names is not what was judged.
    """
    ledger = Ledger(client, channel)
    entries = ledger.entries()
    if not entries:
        return Aliases()
    return _follow(client, ledger, folder, actor)


def state_of(client: MlflowClient, channel: RegisteredAlias) -> ChannelState:
    """The alias as its ledger has it; nothing is changed."""
    ledger = Ledger(client, channel)
    entries = ledger.entries()
    standing = ledger.standing(entries)
    return ChannelState(
        channel=channel,
        aliases=aliases_of(standing, _facts(client, channel)),
        frozen=standing.frozen,
        pending=tuple(standing.candidates()),
        revoked=tuple(Revoked(version=version, entry=entry) for version, entry in sorted(standing.revoked.items())),
        entries=entries,
    )


def _write(ledger: Ledger, known: tuple[LedgerEntry, ...], decision: Decision, folder: Path) -> LedgerEntry | None:
    """Append the decision behind the entries that are known; None if somebody else was faster."""
    facts = _facts(ledger.client, decision.channel)
    standing = ledger.standing(known)
    before = aliases_of(standing, facts)
    _refuse(refusal(standing, before, decision))
    if decision.action == "rolled_back":
        decision = decision.model_copy(update={"version": before.champion})
    entry = chained(known, decision, before.champion, None)
    after = aliases_of(standing_of((entry,), standing), facts)
    _refuse(outcome_refusal(decision, after))
    if after.champion is not None and after.champion != before.champion:
        prove(ledger.client, decision.channel, after.champion, folder)
    entry = entry.model_copy(update={"after": after.champion})
    return entry if ledger.append(entry) else None


def _follow(client: MlflowClient, ledger: Ledger, folder: Path, actor: str = "litegate") -> Aliases:
    """The aliases as the ledger has them; a champion that changed without a decision becomes an entry first."""

    def wanted() -> Aliases:
        for _ in range(TRIES):
            entries = ledger.entries()
            now = aliases_of(ledger.standing(entries), _facts(client, ledger.channel))
            if now.champion == entries[-1].after:
                return now
            _note_change(ledger, entries, now.champion, actor, folder)
        raise StoreError(f"{ledger.where}: it keeps changing: reconcile it again")

    followed = aliases.follow(client, ledger.channel, wanted)
    ledger.describe(followed)
    return followed


def _note_change(
    ledger: Ledger, entries: tuple[LedgerEntry, ...], champion: int | None, actor: str, folder: Path
) -> None:
    """Record that the champion changed although nobody decided so: a version was deleted, or its tags changed."""
    before = entries[-1].after
    if champion is not None:
        prove(ledger.client, ledger.channel, champion, folder)
    decision = Decision(
        channel=ledger.channel,
        action="reconciled",
        key=f"reconciled after entry {entries[-1].number}",
        actor=actor,
        why=_why_changed(ledger, ledger.standing(entries), before, champion),
        version=champion,
    )
    ledger.append(chained(entries, decision, before, champion))


def _why_changed(ledger: Ledger, standing: Standing, before: int | None, champion: int | None) -> str:
    found = eligible_versions(standing, [] if before is None else [before], _facts(ledger.client, ledger.channel))
    if before is None or before in found:
        return f"version {champion} has the judged verdict and digest again"
    return f"version {before} was deleted, or its tags no longer have the judged verdict and digest"


def _recorded(entries: tuple[LedgerEntry, ...], decision: Decision) -> LedgerEntry | None:
    return next((entry for entry in entries if entry.decision.key == decision.key), None)


def _refuse(problem: tuple[str, str, str] | None) -> None:
    if problem is not None:
        raise BadInput(*problem)


def _facts(client: MlflowClient, channel: RegisteredAlias) -> Callable[[int], VersionFacts | None]:
    """Looks versions up in the registry, each once."""

    @cache
    def facts(version: int) -> VersionFacts | None:
        try:
            tags = client.get_model_version(channel.registry, str(version)).tags
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        passed = tags.get(registry.STATE) == registry.PASSED
        return VersionFacts(version, passed, tags.get(registry.DIGEST, ""))

    return facts
