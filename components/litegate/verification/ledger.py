"""The ledger of the version's alias: whether it is a chain, and whether it begins as it did when it was signed."""

from __future__ import annotations

from collections.abc import Iterator

from litegate.attestation.signing import Opened
from litegate.attestation.statements import LEDGER
from litegate.promotion import entry_digest
from litegate.records import LedgerEntry, LedgerHead, VersionEvidence, unreadable
from litegate.verification.check import Check, bad, good, unknown
from litegate.verification.statement import Said

__all__ = ["NAME", "ledger"]

NAME = "ledger"


def ledger(found: VersionEvidence, said: Said, head: Opened | None, signed: bool) -> Check:
    """The chain, and what of it is signed.

    Args:
        head: the statement about how far the ledger was, opened; None where there is none.
        signed: whether the statement about the version is, by the key at hand.
    """
    if found.ledger_problem:
        return bad(NAME, found.ledger_problem)
    heads = [said.version.ledger]
    if head is not None:
        if head.signed in ("bad", "other_key") or (signed and head.signed != "good"):
            return bad(NAME, "how far it was is not signed by the key that --key names")
        try:
            heads.append(_head(head))
        except (ValueError, KeyError, TypeError) as error:
            return bad(NAME, f"what is said of how far it was cannot be read: {unreadable(error)}")
    if wrong := [*_changed(found.ledger, heads), *_of_other_bytes(found, said)]:
        return bad(NAME, "; ".join(wrong))
    return _covered(found, max(each.entries for each in heads), signed)


def _head(opened: Opened) -> LedgerHead:
    if opened.statement["predicateType"] != LEDGER:
        raise ValueError(f"expected the type {LEDGER}")
    return LedgerHead.model_validate(opened.statement["predicate"])


def _changed(entries: tuple[LedgerEntry, ...], heads: list[LedgerHead]) -> Iterator[str]:
    """Where it does not begin with what was signed."""
    for each in heads:
        if len(entries) < each.entries:
            yield f"{len(entries)} entries, {each.entries} were signed: some were removed"
        elif each.head is not None and entry_digest(entries[each.entries - 1]) != each.head:
            yield f"entry {each.entries - 1}, or one before it, is not what was signed: it was changed"


def _of_other_bytes(found: VersionEvidence, said: Said) -> Iterator[str]:
    for entry in found.ledger:
        decision = entry.decision
        if decision.version == found.version and decision.digest not in (None, said.file[1]):
            yield f"entry {entry.number} is about version {found.version} with other bytes, {decision.digest}"


def _covered(found: VersionEvidence, covered: int, signed: bool) -> Check:
    """Nothing follows the last entry that would show a change of it, but a signature."""
    count = len(found.ledger)
    said = f"{count:,} {'entry' if count == 1 else 'entries'}, chain unbroken" if count else "no entries"
    if signed and count:
        said += f", the first {covered:,} signed" if covered < count else ", all of them signed"
    after = ((entry.number, entry.decision) for entry in found.ledger[covered:])
    open_ = [number for number, decision in after if found.version in (decision.version, decision.to)]
    if signed and open_:
        numbers = ", ".join(map(str, open_))
        return unknown(NAME, f"{said}; nobody has signed entry {numbers}, which is about version {found.version}")
    return good(NAME, said)
