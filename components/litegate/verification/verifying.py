"""All checks of a version, one after the other: each rests on those before it, and none is left out in silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from litegate.attestation.signing import Opened, open_envelope
from litegate.digest import digest_file
from litegate.errors import StoreError
from litegate.records import Evidence, VersionEvidence
from litegate.settings import Settings
from litegate.storage.workspace import Workspace
from litegate.tracking import notes, registry
from litegate.verification import ledger, rebuilding, statement, verdict
from litegate.verification.check import Check, bad, good, unknown
from litegate.verification.statement import Fetch, Said

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

__all__ = ["Verifying"]


@dataclass(frozen=True)
class Verifying:
    """A version, and what it is checked with.

    Attributes:
        fetch: a local copy of a file that was fetched.
        key: that must have signed; it is the verifier's own, and nobody else's word. None: none is asked for.
        workspace: has the outcomes, the source and the samples.
        folder: scratch space, in which nothing is yet.
        places: the Python environments, and what runs steps.
        rederive: whether the file is made again.
        allow_unsigned: whether a statement that nobody has signed will do.
    """

    found: VersionEvidence
    fetch: Fetch
    key: SSlibKey | None
    workspace: Workspace
    folder: Path
    places: Settings
    rederive: bool = False
    allow_unsigned: bool = False

    def checks(self) -> Iterator[Check]:
        """Each as soon as it is made."""
        file = self.found.artifacts.get(notes.STATEMENT)
        if file is None:
            yield self._without()
            return
        try:
            opened = open_envelope(self.fetch(file).read_bytes(), self.key, notes.STATEMENT)
            yield statement.signature(opened, self.key is not None, self.allow_unsigned)
            said = statement.read_statement(opened)
        except StoreError as error:
            yield bad("statement", str(error))
            return
        yield statement.subject(self.found, said, digest_file(self.fetch(file)))
        yield from statement.files(self.found, said, self.fetch)
        yield statement.bill(self.found, said, self.fetch)
        yield from self._verdict(said)
        yield self._ledger(said, opened)

    def _without(self) -> Check:
        """There is no statement, from which all else is known."""
        if registry.STATEMENT in self.found.tags:
            return bad("signature", f"{notes.STATEMENT} was removed from the run that the version names")
        return unknown("signature", "there is no statement: an older litegate has registered the version")

    def _verdict(self, said: Said) -> Iterator[Check]:
        """What the verdict rests on, and whether it follows from that; then whether the file does from its source."""
        yield verdict.stored_verdict(self.found, said, self.fetch)
        evidence = verdict.read_evidence(self.found, said, self.fetch)
        if isinstance(evidence, Check):
            yield evidence
            yield unknown("verdict", "not recomputed: what it rests on is not known")
        else:
            yield good("evidence", f"{notes.EVIDENCE}, as stated")
            yield from self._recomputed(evidence, said)
        if self.rederive:
            yield self._rebuilt(evidence, said)

    def _recomputed(self, evidence: Evidence, said: Said) -> Iterator[Check]:
        if evidence.gate is None:
            yield unknown("verdict", "not recomputed: what the gate was asked was not kept")
            return
        found, copies = verdict.outcomes(evidence.gate, said, self.workspace)
        yield found
        if found.state == "good":
            yield verdict.recomputed(evidence.gate, said, copies, self._empty("gate"))
        else:
            yield unknown("verdict", "not recomputed: its outcomes are not those that were judged")

    def _rebuilt(self, evidence: Evidence | Check, said: Said) -> Check:
        if isinstance(evidence, Check):
            return unknown(rebuilding.NAME, "not rebuilt: what it was made of is not known")
        return rebuilding.rebuilt(evidence, said, self.workspace, self._empty("rebuilt"))

    def _ledger(self, said: Said, opened: Opened) -> Check:
        """With what was signed of its end, if anything was."""
        text = self.found.ledger_head
        try:
            head = open_envelope(text.encode(), self.key, "the statement about the ledger") if text else None
        except StoreError as error:
            return bad(ledger.NAME, str(error))
        return ledger.ledger(self.found, said, head, signed=opened.signed == "good")

    def _empty(self, name: str) -> Settings:
        """Places in which nothing is found already, so that nothing that somebody left there is believed."""
        root = self.folder / name
        return replace(self.places, workspace=str(root / "workspace"), cache=root / "cache", scratch=root / "scratch")
