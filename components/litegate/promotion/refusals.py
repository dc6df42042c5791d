"""Which decisions cannot be taken, and why: nothing is written then."""

from __future__ import annotations

from litegate.promotion.standing import Standing
from litegate.records import Aliases, Decision

__all__ = ["Refusal", "outcome_refusal", "refusal"]

Refusal = tuple[str, str, str]
"""Where, what was expected, what was got: the arguments of `BadInput`."""


def refusal(standing: Standing, now: Aliases, decision: Decision) -> Refusal | None:
    """Why `decision` cannot be taken where the ledger stands at `standing`; None if it can.

    Args:
        now: where the aliases belong before the decision.
    """
    return _unexpected(now, decision) or _of_version(standing, now, decision)


def outcome_refusal(decision: Decision, then: Aliases) -> Refusal | None:
    """Why a decision may not have the outcome `then`: it is not what the decision names, or there is no champion."""
    where = f"{decision.effect.replace('_', ' ')} {decision.channel}"
    wanted = {"frozen": decision.version, "rolled_back": decision.to}.get(decision.effect)
    if wanted is not None and then.champion != wanted:
        return (
            where,
            f"version {wanted} as it was judged",
            "a deleted version, or one whose verdict or digest was changed",
        )
    if decision.action == "rolled_back" and then.champion is None:
        return where, "another accepted version that can take over", "no such version: promote one first"
    return None


def _unexpected(now: Aliases, decision: Decision) -> Refusal | None:
    if decision.expected is None or now.champion == (decision.expected or None):
        return None
    if decision.action == "accepted" and now.champion == decision.version:
        return None  # what the decision asks for is so already
    expected = f"version {decision.expected}" if decision.expected else "none"
    got = "none" if now.champion is None else f"version {now.champion}"
    return (
        f"champion of {decision.channel}",
        f"{expected}, for which this was decided",
        f"{got}: see `litegate history`",
    )


def _of_version(standing: Standing, now: Aliases, decision: Decision) -> Refusal | None:
    version, where = decision.version, f"{decision.channel} version {decision.version}"
    known = None if version is None else standing.digests.get(version)
    match decision.effect:
        case "nominated" | "accepted":
            if decision.digest is None and version not in {*standing.pending, *standing.promotable()}:
                return where, "a version whose approval is pending", "a version without a pending approval"
            if decision.digest not in (None, known or decision.digest):
                return where, f"the digest {known}, which was judged first", str(decision.digest)
        case "rejected" if version not in standing.pending:
            return where, "a version whose approval is pending", "a version without a pending approval"
        case "rolled_back":
            return _of_rollback(standing, now, decision, where)
        case "reinstated" if version not in standing.revoked:
            return where, "a revoked version (rolled back or rejected)", "a version that is not revoked"
        case "frozen" if version not in standing.promotable():
            return where, _one_of(standing), _what(standing, version)
        case "unfrozen" if standing.frozen is None:
            return f"the freeze of {decision.channel}", "a frozen version", "none"
        case _:
            pass
    return None


def _of_rollback(standing: Standing, now: Aliases, decision: Decision, where: str) -> Refusal | None:
    champion, channel = now.champion, decision.channel
    if champion is None:
        return f"champion of {channel}", "a version that can be rolled back", "none"
    if decision.version is None and (before := _rolled_back_before(standing)):
        return f"roll back {channel}", f"its champion, version {champion}, to be named, for {before}", "no version"
    if decision.version not in (None, champion):
        return where, f"the champion, version {champion}", "another version: see `litegate history`"
    if standing.frozen == champion:
        return f"{channel} version {champion}", "a version that is not frozen", "the frozen version: unfreeze it first"
    if decision.to == champion:
        return f"{channel} version {champion}", _one_of(standing, champion), "the champion itself"
    if decision.to is not None and decision.to not in standing.promotable():
        return f"{channel} version {decision.to}", _one_of(standing, champion), _what(standing, decision.to)
    return None


def _rolled_back_before(standing: Standing) -> str:
    """What a person may not have seen: that somebody else has just rolled back; empty if that is not so."""
    entry = standing.last_move
    if entry is None or entry.decision.action != "rolled_back":
        return ""
    return f"version {entry.decision.version} was rolled back already, by {entry.decision.actor} at {entry.time[:19]}"


def _one_of(standing: Standing, but: int | None = None) -> str:
    versions = [str(version) for version in sorted(standing.promotable()) if version != but]
    return f"an accepted version ({', '.join(versions)})" if versions else "an accepted version (none exists)"


def _what(standing: Standing, version: int | None) -> str:
    entry = standing.revoked.get(version or 0)
    if entry is not None:
        said = entry.decision
        return f"a version that was {said.action.replace('_', ' ')} by {said.actor}: reinstate it first"
    return "a version that was never accepted"
