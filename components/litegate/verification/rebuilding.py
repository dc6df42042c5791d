"""The .tflite made again, from source, samples and recipe, in a workspace where nothing is found already."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from litegate.errors import BadInput, Gone, StepFailed, StoreError
from litegate.execution.confinement import named
from litegate.execution.environments import attested_environments
from litegate.execution.machine import processor_type
from litegate.execution.step_run import StepRun
from litegate.pipeline.memory import ResultsInMemory
from litegate.pipeline.requests import calibrated_variants, request_of
from litegate.records import Artifact, Candidate, ConvertRequest, Evidence, FileRef, Record
from litegate.settings import Settings
from litegate.steps import STEPS
from litegate.storage.workspace import Workspace
from litegate.variants import FINE_TUNING, GIVEN, TARGETS
from litegate.verification.check import Check, bad, good, unknown
from litegate.verification.statement import Said
from litegate.verification.verdict import copied

__all__ = ["NAME", "rebuilt"]

NAME = "rebuilt"
_NOT_MADE_AGAIN = {
    GIVEN: "the file was given",
    FINE_TUNING: "the model was trained on for it, by code and on data of the spec's owner",
}


_SEARCH_ENDED = "the search for its precisions ended when its time was over, so that it may come to another file"


def rebuilt(evidence: Evidence, said: Said, workspace: Workspace, places: Settings) -> Check:
    """Whether the same bytes come of it; asked only where the processor is of the type that the file was made on.

    Args:
        workspace: has the source and the samples.
        places: a workspace in which nothing is found already, and the Python environments.
    """
    version, here = said.version, processor_type()
    if version.engine in _NOT_MADE_AGAIN:
        return unknown(NAME, f"not rebuilt: {_NOT_MADE_AGAIN[version.engine]}")
    if version.processor != here:
        return unknown(NAME, f"not comparable: other processor ({version.processor or 'not noted'}; this is {here})")
    if any(_by_time(each.artifact) for each in _registered(evidence, version.variant)):
        return unknown(NAME, f"not comparable: {_SEARCH_ENDED}")
    try:
        copied(_inputs(evidence, version.variant, workspace), places)
    except Gone as error:
        return unknown(NAME, f"not rebuilt: what it was made of is not there any more: {error}")
    except StoreError as error:
        return bad(NAME, f"not rebuilt: what it was made of was changed: {error}")
    try:
        artifact = _Rebuilding(evidence, places).run(version.variant)
    except (BadInput, StepFailed) as error:
        return unknown(NAME, f"not rebuilt: {str(error)[:500]}")
    return _compared(artifact, said)


def _registered(evidence: Evidence, variant: str) -> tuple[Candidate, ...]:
    """What the gate was asked about the file, if that was kept."""
    asked = () if evidence.gate is None else evidence.gate.candidates
    return tuple(each for each in asked if each.artifact.variant == variant)


def _by_time(artifact: Artifact) -> bool:
    return artifact.recovery is not None and artifact.recovery.ended == "time"


def _compared(artifact: Artifact, said: Said) -> Check:
    digest = said.file[1]
    if artifact.file.digest == digest:
        return good(NAME, f"identical, {artifact.file.bytes:,} bytes on {artifact.made_on}")
    if _by_time(artifact):
        return unknown(NAME, f"not comparable: {_SEARCH_ENDED}")
    text = f"different: {artifact.file.bytes:,} bytes of digest {artifact.file.digest}, registered is {digest}"
    was, now = said.version.environments, attested_environments()
    other = sorted(name for name in was if now.get(name) != was[name])
    if other:
        return unknown(NAME, f"{text}; other tools are installed here ({', '.join(other)})")
    return bad(NAME, text)


def _inputs(evidence: Evidence, variant: str, workspace: Workspace) -> dict[FileRef, Path]:
    """Local copies of source, samples and recipe."""
    given = evidence.resolved.candidates.get(variant)
    wanted = {*evidence.resolved.model.files, *named(evidence.samples, FileRef), *([given] if given else [])}
    return {file: workspace.fetch(file) for file in sorted(wanted, key=lambda each: each.digest)}


class _Rebuilding:
    """The steps that make a file, run for the evidence of one."""

    def __init__(self, evidence: Evidence, places: Settings) -> None:
        self.places, self.resolved = places, evidence.resolved
        self.results = ResultsInMemory()
        self.results.keep("resolve", "", evidence.resolved)
        self.results.keep("sample", "", evidence.samples)

    def run(self, variant: str) -> Artifact:
        """The file of a variant."""
        spec = self.resolved.spec
        self._step("convert", ConvertRequest(model=self.resolved.model, fixed_batch=TARGETS[spec.target].fixed_batch))
        if variant in calibrated_variants(spec):
            with suppress(StepFailed):  # as in a run, it is then calibrated by itself
                self._step("calibrate", request_of("calibrate", self.results))
        artifact = self._step("quantize", request_of("quantize", self.results, variant), variant)
        assert isinstance(artifact, Artifact)
        return artifact

    def _step(self, step: str, request: Record, variant: str = "") -> Record:
        result: Record = StepRun(STEPS[step], request, self.places).run()
        self.results.keep(step, variant, result)
        return result
