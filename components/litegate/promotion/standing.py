"""What a ledger comes to, and which versions its aliases belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from litegate.promotion.priority import Priority, best_first, chosen_by, priority_of
from litegate.records import Aliases, LedgerEntry

__all__ = ["Standing", "VersionFacts", "aliases_of", "eligible_versions", "standing_of"]


@dataclass(frozen=True)
class VersionFacts:
    """What the registry itself says of a version.

    Attributes:
        passed: whether its verdict is there and says so.
        digest: SHA-256 of its file, as it was registered.
    """

    version: int
    passed: bool
    digest: str


@dataclass
class Standing:
    """The entries of a ledger, added up.

    Attributes:
        accepted: by version, its priorities among those that were accepted, one for each entry that gives it one.
        pending: the same for versions whose approval is pending.
        revoked: versions that were rolled back or rejected, each with the entry that says why.
        frozen: the version that is champion whatever else is accepted.
        digests: by version, the digest that was judged.
        same_bytes: by that digest, the versions.
        last_move: the entry by which the champion is who it is.
    """

    accepted: dict[int, list[Priority]] = field(default_factory=dict)
    pending: dict[int, list[Priority]] = field(default_factory=dict)
    revoked: dict[int, LedgerEntry] = field(default_factory=dict)
    frozen: int | None = None
    digests: dict[int, str] = field(default_factory=dict)
    last_move: LedgerEntry | None = None
    same_bytes: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def copy(self) -> Standing:
        """The same, to add further entries to."""
        return replace(
            self,
            accepted={version: [*own] for version, own in self.accepted.items()},
            pending={version: [*own] for version, own in self.pending.items()},
            revoked={**self.revoked},
            digests={**self.digests},
            same_bytes=defaultdict(list, {digest: [*same] for digest, same in self.same_bytes.items()}),
        )

    def promotable(self) -> dict[int, list[Priority]]:
        """Accepted versions that were not revoked, with their priorities."""
        return {version: priorities for version, priorities in self.accepted.items() if version not in self.revoked}

    def ranking(self) -> Iterator[int]:
        """The same, the champion first: the frozen one, then by their priorities."""
        open_ = self.promotable()
        if self.frozen in open_:
            yield self.frozen
        yield from (version for version in best_first(open_) if version != self.frozen)

    def candidates(self) -> Iterator[int]:
        """Versions whose approval is pending, the first one first."""
        open_ = {version: priorities for version, priorities in self.pending.items() if version not in self.revoked}
        return best_first(open_)


def standing_of(entries: Iterable[LedgerEntry], before: Standing | None = None) -> Standing:
    """Add up the entries of a ledger, in their order.

    Args:
        before: what the entries before them come to; it stays as it is.
    """
    standing = Standing() if before is None else before.copy()
    for entry in entries:
        _apply(standing, entry)
        if entry.before != entry.after:
            standing.last_move = entry
    return standing


def eligible_versions(
    standing: Standing, versions: Iterable[int], facts: Callable[[int], VersionFacts | None]
) -> Iterator[int]:
    """Those of `versions` that the registry still holds as they were judged; looked up one by one, as they are needed.

    Args:
        facts: the registry's facts about a version; None if there is no such version any more.
    """
    for version in versions:
        found = facts(version)
        if found is not None and found.passed and found.digest == standing.digests.get(version):
            yield version


def aliases_of(standing: Standing, facts: Callable[[int], VersionFacts | None]) -> Aliases:
    """Where the three aliases belong."""
    ranking = eligible_versions(standing, standing.ranking(), facts)
    return Aliases(
        champion=next(ranking, None),
        previous=next(ranking, None),
        candidate=next(eligible_versions(standing, standing.candidates(), facts), None),
    )


def _apply(standing: Standing, entry: LedgerEntry) -> None:
    decision, version = entry.decision, entry.decision.version
    if decision.effect in ("frozen", "unfrozen"):
        standing.frozen = version if decision.effect == "frozen" else None
    if version is None:
        return
    if decision.digest is not None:
        _learn(standing, version, decision.digest)
    match decision.action:
        case "nominated":
            standing.pending.setdefault(version, []).append(priority_of(entry))
        case "accepted":
            _accept(standing, version, entry)
        case "rejected" | "rolled_back":
            standing.pending.pop(version, None)
            standing.revoked[version] = entry
            if decision.to is not None:
                standing.accepted.setdefault(decision.to, []).append(chosen_by(entry))
        case "reinstated":
            for same in (version, *_same_bytes(standing, version)):
                standing.revoked.pop(same, None)


def _accept(standing: Standing, version: int, entry: LedgerEntry) -> None:
    """What a person accepts has the priorities of the runs that nominated it, not of the approval."""
    priorities = standing.accepted.setdefault(version, [])
    priorities += standing.pending.pop(version, [])
    is_approval = entry.decision.begun is None and entry.decision.order is None
    if not (priorities and is_approval):
        priorities.append(priority_of(entry))


def _learn(standing: Standing, version: int, digest: str) -> None:
    """What holds for the bytes holds for the version: deleted and registered again, they get another number."""
    if version not in standing.digests:
        standing.digests[version] = digest
        standing.same_bytes[digest].append(version)
    for same in _same_bytes(standing, version) if standing.revoked else ():
        if same in standing.revoked:
            standing.revoked[version] = standing.revoked[same]


def _same_bytes(standing: Standing, version: int) -> list[int]:
    digest = standing.digests.get(version)
    return [] if digest is None else standing.same_bytes[digest]
