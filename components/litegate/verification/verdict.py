"""The verdict, found again: the gate's own step on the stored outcomes, where nothing is found already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from litegate.attestation.statements import judged_files
from litegate.digest import digest_file
from litegate.errors import BadInput, Gone, StepFailed, StoreError
from litegate.execution.confinement import named
from litegate.execution.step_run import StepRun
from litegate.records import Evidence, FileRef, GateRequest, Verdict, Verdicts, VersionEvidence, unreadable
from litegate.settings import Settings
from litegate.steps import STEPS
from litegate.storage.workspace import Workspace
from litegate.tracking import notes
from litegate.verification.check import Check, bad, good, unknown
from litegate.verification.statement import Fetch, Said

__all__ = ["copied", "outcomes", "read_evidence", "recomputed", "stored_verdict"]

_WORDS = ("sentence", "reasons", "explanation", "disagreement")
"""Of a verdict, what another release may word otherwise."""


def read_evidence(found: VersionEvidence, said: Said, fetch: Fetch) -> Evidence | Check:
    """What the verdict rests on, or why it cannot be had."""
    name, file = "evidence", found.artifacts.get(notes.EVIDENCE)
    if file is None:
        return unknown(name, f"{notes.EVIDENCE} is not there any more")
    path = fetch(file)
    if (digest := digest_file(path)) != said.version.evidence:
        return bad(name, f"{notes.EVIDENCE} was changed: its digest is {digest}, signed was {said.version.evidence}")
    try:
        return Evidence.model_validate_json(path.read_text())
    except ValueError as error:
        return unknown(name, f"{notes.EVIDENCE} cannot be read: {unreadable(error)}")


def stored_verdict(found: VersionEvidence, said: Said, fetch: Fetch) -> Check:
    """Whether MLflow has the verdict that was signed."""
    name, file = "stored verdict", found.artifacts.get(notes.VERDICT)
    if file is None:
        return unknown(name, f"{notes.VERDICT} is not there any more")
    try:
        stored = Verdict.model_validate_json(fetch(file).read_text())
    except ValueError as error:
        return bad(name, f"{notes.VERDICT} is no verdict: {unreadable(error)}")
    if stored != said.version.verdict:
        return bad(name, f"{notes.VERDICT} is not what was stated: {_differing(stored, said.version.verdict)}")
    return good(name, f"{stored.state}, as stated")


def outcomes(gate: GateRequest, said: Said, workspace: Workspace) -> tuple[Check, dict[FileRef, Path]]:
    """Whether the workspace has the outcomes that were judged; local copies of all files that the gate was given."""
    name, files = "outcomes", judged_files(gate)
    if {of: file.digest for of, file in files.items()} != dict(said.version.outcomes):
        return bad(name, "the evidence names other files than the statement"), {}
    copies: dict[FileRef, Path] = {}
    for file in sorted(set(named(gate, FileRef)), key=lambda each: each.digest):
        of = next((of for of, each in files.items() if each == file), file.name)
        try:
            copies[file] = workspace.fetch(file)
        except Gone:
            return unknown(name, f"those of {of} are not there any more ({workspace.uri(file)})"), {}
        except StoreError as error:
            return bad(name, f"those of {of} were changed: {error}"), {}
    return good(name, f"{len(files)} files, as stated"), copies


def recomputed(gate: GateRequest, said: Said, copies: dict[FileRef, Path], places: Settings) -> Check:
    """The verdict as the gate gives it now.

    Args:
        copies: of all files that the gate is given.
        places: a workspace in which nothing is found already.
    """
    name, signed = "verdict", said.version.verdict
    if problem := "; ".join(_not_asked(gate, said)):
        return bad(name, f"the gate was asked about something else: {problem}")
    copied(copies, places)
    try:
        found: Verdicts = StepRun(STEPS["gate"], gate, places).run()
    except (BadInput, StepFailed) as error:
        return unknown(name, f"the gate cannot be asked again: {str(error)[:500]}")
    again = next((verdict for verdict in found.verdicts if verdict.variant == signed.variant), None)
    if again is None:
        return bad(name, f"recomputed: there is none of {signed.variant}")
    return _compared(name, again, signed)


def copied(copies: dict[FileRef, Path], places: Settings) -> None:
    """Put files into the workspace of `places`, each under its own digest."""
    workspace = Workspace(places.workspace, places.cache)
    for file, path in copies.items():
        workspace.keep_file(path, file.name)


def _compared(name: str, again: Verdict, signed: Verdict) -> Check:
    rests = f"recomputed from {signed.samples:,} stored outcomes"
    if again == signed:
        return good(name, f"{rests}, the same: {signed.state}")
    numbers = [verdict.model_dump(exclude=set(_WORDS)) for verdict in (again, signed)]
    if numbers[0] == numbers[1]:
        return good(name, f"{rests}, the same in all numbers: {signed.state}; another release words it otherwise")
    return bad(name, f"{rests}, and it differs: {_differing(again, signed)}")


def _not_asked(gate: GateRequest, said: Said) -> Iterator[str]:
    """What of a question is not about the version."""
    version = said.version
    digests = [each.artifact.file.digest for each in gate.candidates if each.artifact.variant == version.variant]
    if digests != [said.file[1]]:
        yield f"of {version.variant} it was given {', '.join(digests) or 'nothing'}"
    if gate.policy != version.spec.gate:
        yield "by another policy than the spec's"
    if gate.target != version.spec.target:
        yield f"for the target {gate.target}"


def _differing(one: Verdict, other: Verdict) -> str:
    """The fields that are not the same, a few of them with both values."""
    fields = [name for name in Verdict.model_fields if getattr(one, name) != getattr(other, name)]
    return ", ".join(
        f"{name} is {getattr(one, name)!s:.60}, stated {getattr(other, name)!s:.60}" for name in fields[:4]
    )
