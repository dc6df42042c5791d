"""What a registered version rests on, as it is signed; and what is fetched to check it."""

from __future__ import annotations

from typing import Any

from litegate.records.base import FileRef, Record
from litegate.records.fields import Count, Digest, VariantName
from litegate.records.inputs import Resolved
from litegate.records.promotion import LedgerEntry
from litegate.records.samples import SampleSet
from litegate.records.verdicts import GateRequest, Verdict
from litegate.spec import Spec

__all__ = [
    "AttestedData",
    "AttestedEnvironment",
    "AttestedModel",
    "AttestedVersion",
    "Evidence",
    "EvidenceRequest",
    "LedgerHead",
    "VersionEvidence",
]


class AttestedModel(Record):
    """The source model: where it was, and the digest of its bytes, as in `ModelRef`."""

    uri: str
    format: str
    digest: Digest


class AttestedData(Record):
    """A dataset: where it was, the digest over all of it, and that of the manifest which lists its objects."""

    uri: str
    format: str
    digest: Digest
    manifest: Digest
    samples: Count


class AttestedEnvironment(Record):
    """A Python environment of the host that registered the version.

    Attributes:
        distributions: digest of the sorted names and versions of all that is installed.
        lock: SHA-256 of the lock file that it was installed from; None where that is not known.
    """

    distributions: Digest
    lock: Digest | None = None


class LedgerHead(Record):
    """How far a ledger was: how many entries it had, and the digest of the last of them; None where it had none."""

    ledger: str
    entries: Count
    head: Digest | None


class AttestedVersion(Record):
    """The predicate of the statement about a registered version: what its file was made of, and why it may ship.

    Attributes:
        model: the registered model's name.
        source: the trained model that the file was made of.
        engine: what made the file; `given` for one that was given.
        recipe: what the engine was told, as far as that is not in the spec.
        tools: versions of what converted the model.
        environments: by name, what was installed where the version was registered.
        processor: the type of the processor that the file was made on; empty where that is not known.
        runtimes: what ran the operators of the files that were judged: `target`, and `host` beside it.
        outcomes: digests of the files with the outcome of every sample, by what they are of.
        evidence: digest of the `Evidence`, from which the verdict can be found again.
        bom: digest of the bill of materials.
        ledger: how far the ledger of the model's alias was.
        runs: ids of the runs in MLflow: `pipeline`, and the `variant`'s own.
    """

    model: str
    variant: VariantName
    source: AttestedModel
    calibration: AttestedData
    evaluation: AttestedData
    spec: Spec
    spec_digest: Digest
    engine: str
    recipe: dict[str, Any] | None
    tools: dict[str, str]
    environments: dict[str, AttestedEnvironment]
    processor: str
    runtimes: dict[str, str]
    verdict: Verdict
    outcomes: dict[str, Digest]
    evidence: Digest
    bom: Digest
    ledger: LedgerHead
    run_key: str
    runs: dict[str, str]


class Evidence(Record):
    """What the file can be rebuilt and the verdict found again from.

    Attributes:
        gate: what the gate was asked; None where that was not kept.
    """

    resolved: Resolved
    samples: SampleSet
    gate: GateRequest | None = None


class EvidenceRequest(Record):
    """Which version of a registered model: by its number, or the one behind the alias, whose ledger is read."""

    registry: str
    alias: str = "champion"
    version: int | None = None


class VersionEvidence(Record):
    """All that MLflow has about a version, as it is: nothing of it is checked yet.

    Attributes:
        variant: as the version's tags say.
        file: the .tflite; None where there is not exactly one.
        artifacts: the files of the run with the verdict, by their paths there.
        ledger: the entries of the alias's ledger, as far as they can be read.
        ledger_problem: why they cannot; empty if they can.
        ledger_head: the signed statement about the ledger, as text; empty where there is none.
    """

    registry: str
    version: int
    variant: str
    tags: dict[str, str]
    mlflow_run: str
    file: FileRef | None
    artifacts: dict[str, FileRef]
    ledger: tuple[LedgerEntry, ...]
    ledger_problem: str = ""
    ledger_head: str = ""
