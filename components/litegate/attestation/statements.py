"""The statements: about a version, and about how far a ledger is. Pure functions of records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from litegate.digest import digest_bytes, digest_json
from litegate.records import (
    AttestedData,
    AttestedEnvironment,
    AttestedModel,
    AttestedVersion,
    Candidate,
    DataRef,
    Evidence,
    FileRef,
    GateRequest,
    LedgerHead,
    RegisterRequest,
    Verdict,
)
from litegate.variants import variant_of

__all__ = [
    "LEDGER",
    "VERSION",
    "about_ledger",
    "about_version",
    "evidence_of",
    "judged_files",
    "predicate_of",
    "statement",
]

TYPE = "https://in-toto.io/Statement/v1"
VERSION = "https://litegate.dev/attestation/version/v1"
LEDGER = "https://litegate.dev/attestation/ledger/v1"
"""Types of the predicates, by which a reader knows what a statement says; nothing is fetched from there."""


def statement(kind: str, subjects: Mapping[str, str], predicate: Mapping[str, Any]) -> dict[str, Any]:
    """An in-toto statement.

    Args:
        kind: the predicate's type.
        subjects: by name, the SHA-256 of what it is about.
    """
    named = [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subjects.items())]
    return {"_type": TYPE, "subject": named, "predicateType": kind, "predicate": dict(predicate)}


def about_version(predicate: AttestedVersion, subjects: Mapping[str, str]) -> dict[str, Any]:
    """The statement about a registered version, whose files are the subjects."""
    return statement(VERSION, subjects, predicate.to_json())


def about_ledger(head: LedgerHead) -> dict[str, Any]:
    """The statement about a ledger: its last entry is the subject, and with it all that came before."""
    assert head.head is not None, "there is an entry"
    return statement(LEDGER, {head.ledger: head.head}, head.to_json())


def evidence_of(request: RegisterRequest) -> Evidence:
    """What the verdicts of a run can be found again from."""
    return Evidence(resolved=request.resolved, samples=request.samples, gate=request.gate)


def predicate_of(
    request: RegisterRequest,
    verdict: Verdict,
    candidate: Candidate,
    *,
    evidence: str,
    bom: str,
    ledger: LedgerHead,
    environments: Mapping[str, AttestedEnvironment],
    runs: Mapping[str, str],
) -> AttestedVersion:
    """What is said of the version that a run registers.

    Args:
        verdict, candidate: of the variant that was selected.
        evidence, bom: as they are stored, by which their digests are known.
        environments: what is installed where the version is registered.
        runs: ids of the runs in MLflow.
    """
    resolved, variant = request.resolved, candidate.artifact.variant
    spec, engine = resolved.spec, resolved.spec.engine_of(variant)
    return AttestedVersion(
        model=spec.registry.name,
        variant=variant,
        source=AttestedModel(uri=resolved.model.uri, format=resolved.model.format, digest=resolved.model.digest),
        calibration=_data(resolved.calibration, request.samples.samples),
        evaluation=_data(resolved.evaluation, candidate.evaluated.samples),
        spec=spec,
        spec_digest=digest_json(spec.model_dump(mode="json")),
        engine=engine,
        recipe=_recipe(variant, resolved.candidates.get(variant)),
        tools=request.tools,
        environments=dict(environments),
        processor=candidate.artifact.made_on,
        runtimes=_runtimes(candidate),
        verdict=verdict,
        outcomes=_outcomes(request, candidate),
        evidence=digest_bytes(evidence.encode()),
        bom=digest_bytes(bom.encode()),
        ledger=ledger,
        run_key=request.run_key,
        runs=dict(runs),
    )


def judged_files(gate: GateRequest) -> dict[str, FileRef]:
    """The files with the outcome of every sample that a gate was asked about, by what they are of."""
    named = {"baseline": gate.baseline, "champion": gate.champion}
    named |= {each.artifact.variant: each for each in gate.candidates}
    return {name: file for of, each in named.items() if each for name, file in _outcome_files(of, each).items()}


def _outcomes(request: RegisterRequest, candidate: Candidate) -> dict[str, str]:
    """Digests of all that the verdict was found from; of the baseline and the file alone where that is not known."""
    if request.gate is not None:
        found = judged_files(request.gate)
    else:
        found = _outcome_files("baseline", request.baseline) | _outcome_files(candidate.artifact.variant, candidate)
    return {name: file.digest for name, file in found.items()}


def _outcome_files(of: str, candidate: Candidate) -> dict[str, FileRef]:
    evaluated = candidate.evaluated
    found = {of: evaluated.outcomes}
    if evaluated.host is not None:
        found[f"{of}, by the host"] = evaluated.host.outcomes
    if evaluated.control is not None and evaluated.control.outcomes is not None:
        found[f"{of}, as control"] = evaluated.control.outcomes
    for each in evaluated.references:
        found[f"{each.role} beside {of}"] = each.outcomes
        if each.host is not None:
            found[f"{each.role} beside {of}, by the host"] = each.host
        if each.control is not None:
            found[f"{each.role} beside {of}, as control"] = each.control
    return found


def _data(data: DataRef, samples: int) -> AttestedData:
    return AttestedData(
        uri=data.uri, format=data.format, digest=data.digest, manifest=data.manifest.digest, samples=samples
    )


def _recipe(variant: str, given: FileRef | None) -> dict[str, Any] | None:
    """What the engine was told: by the variant's own name, or the digest of what was given."""
    if given is not None:
        return {"given": given.digest}
    recipe = variant_of(variant).recipe
    return None if recipe is None else asdict(recipe) | {"rules": list(recipe.rules), "ops": list(recipe.ops)}


def _runtimes(candidate: Candidate) -> dict[str, str]:
    evaluated = candidate.evaluated
    found = {"target": evaluated.kernels}
    if evaluated.host is not None:
        found["host"] = evaluated.host.kernels
    if evaluated.on_device is not None:
        found["device"] = evaluated.on_device.name
    return found
