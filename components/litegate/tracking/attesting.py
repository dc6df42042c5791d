"""What is written beside a registered version for outsiders: statement, bill of materials, and the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mlflow.entities import Run

from litegate import __version__
from litegate.attestation.bom import bill_of_materials
from litegate.attestation.signing import enveloped, key_id, signer
from litegate.attestation.statements import about_version, evidence_of, predicate_of
from litegate.digest import digest_bytes, digest_json
from litegate.records import AttestedEnvironment, AttestedVersion, Candidate, LedgerHead, RegisterRequest, Verdict
from litegate.tracking import notes, registry
from litegate.tracking.artifacts import Content

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

__all__ = ["Attesting"]

_WRITTEN, _DIGEST = "litegate.statement", "litegate.statement_sha256"
"""Tags of a variant's run: what its statement says and who signed it, and the digest of the stored envelope."""


@dataclass(frozen=True)
class Attesting:
    """The statement about what one run registers.

    Attributes:
        run: the variant's own, as MLflow has it now.
        parent_id: id of the pipeline run.
        subjects: by name, the SHA-256 of the files that ship.
        ledger: how far that of the registered model's alias is.
        environments: what is installed on this host.
    """

    request: RegisterRequest
    verdict: Verdict
    candidate: Candidate
    run: Run
    parent_id: str
    subjects: Mapping[str, str]
    ledger: LedgerHead
    environments: Mapping[str, AttestedEnvironment]

    @property
    def artifacts(self) -> dict[str, Content]:
        """What the run is to have; nothing where it has the same already, signed by the same key."""
        if self._is_written:
            return {}
        return {notes.STATEMENT: self._envelope, notes.BOM: self._bom, notes.EVIDENCE: self._evidence}

    @property
    def run_tags(self) -> dict[str, str]:
        """By which a repeated try knows that nothing is missing."""
        return {_WRITTEN: self._content, _DIGEST: self._digest}

    @property
    def version_tags(self) -> dict[str, str]:
        """What the version says of its statement."""
        return {registry.STATEMENT: self._digest, registry.SIGNED_BY: key_id(self._signer)}

    @cached_property
    def _signer(self) -> CryptoSigner | None:
        return signer()

    @property
    def _is_written(self) -> bool:
        return bool(self.run.data.tags.get(_WRITTEN) == self._content)

    @property
    def _digest(self) -> str:
        return str(self.run.data.tags[_DIGEST]) if self._is_written else digest_bytes(self._envelope.encode())

    @cached_property
    def _content(self) -> str:
        """Digest of what is said and by whom; how far the ledger is may differ from try to try."""
        said = self._predicate.model_dump(mode="json", exclude={"ledger"})
        return digest_json([said, sorted(self.subjects.items()), key_id(self._signer)])

    @cached_property
    def _envelope(self) -> str:
        return enveloped(about_version(self._predicate, self.subjects), self._signer)

    @cached_property
    def _evidence(self) -> str:
        return evidence_of(self.request).model_dump_json()

    @cached_property
    def _bom(self) -> str:
        return bill_of_materials(self.request, self.verdict, self.candidate, self.subjects, __version__)

    @cached_property
    def _predicate(self) -> AttestedVersion:
        return predicate_of(
            self.request,
            self.verdict,
            self.candidate,
            evidence=self._evidence,
            bom=self._bom,
            ledger=self.ledger,
            environments=self.environments,
            runs={"pipeline": self.parent_id, "variant": self.run.info.run_id},
        )
