"""Step `inspect`: what a file is, read from its bytes; whoever called it what it is called is not believed."""

from __future__ import annotations

from litegate.errors import ModelError, StepFailed
from litegate.failures import FailureKind
from litegate.inspection import File, count, inspect_file, io_mismatch, mismatch, not_a_baseline, read_file
from litegate.records import Artifact, Inspection, InspectRequest
from litegate.source.causes import QUANTIZED_ALREADY
from litegate.variants import variant_of
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: InspectRequest, work: Work) -> Inspection:
    """Read the file and check that it is what it was asked to be.

    Raises:
        ModelError: the float32 baseline is quantized already.
        StepFailed: a variant is not what was asked for, or breaks the quantization specification in a way that
            its target cannot run.
    """
    file = _read(request.artifact, work)
    baseline = None if request.baseline is None else _read(request.baseline, work)
    made_from = None if request.made_from is None else read_file(work.path(request.made_from).read_bytes())
    found = inspect_file(file, request.artifact, baseline, request.target, made_from)
    _say(found, work)
    if request.baseline is None:
        _check_baseline(request, file)
    else:
        _check_variant(request.artifact, request.baseline, file)
        _check_findings(found)
    return found


def _read(artifact: Artifact, work: Work) -> File:
    try:
        return read_file(work.path(artifact.file).read_bytes())
    except ValueError as error:
        raise StepFailed("inspect", FailureKind.UNREADABLE, f"{artifact.variant}: {error}") from error


def _check_baseline(request: InspectRequest, file: File) -> None:
    problem = not_a_baseline(count(file))
    if problem:
        expected = "a float32 model, since every variant is measured against it"
        found = f"one with {problem}: it is quantized already\n{QUANTIZED_ALREADY}"
        raise ModelError(f"model.uri {request.source}", expected, found)


def _check_variant(artifact: Artifact, baseline: Artifact, file: File) -> None:
    """A file that is not what it is called must not pass, least of all because it is still float."""
    variant = variant_of(artifact.variant)
    problem = mismatch(count(file), variant)
    if problem:
        raise StepFailed("inspect", FailureKind.WRONG_SCHEME, f"the converter gave no {variant.name}: {problem}")
    problem = io_mismatch(artifact.signatures, baseline.signatures, variant)
    if problem:
        raise StepFailed("inspect", FailureKind.WRONG_IO, f"{variant.name}: {problem}")


def _check_findings(found: Inspection) -> None:
    broken = [finding for finding in found.findings if finding.code in found.blocking and finding.severity == "error"]
    if broken:
        said = "; ".join(f"{finding.message} ({finding.code}: {finding.examples[0]})" for finding in broken[:5])
        detail = f"{found.variant} breaks the 8-bit quantization specification: {said}"
        raise StepFailed("inspect", FailureKind.SPECIFICATION, detail)


def _say(found: Inspection, work: Work) -> None:
    work.say(
        "inspect %s: %s, %d operators, %d of them float with %.1f %% of the multiply-accumulates, %d float islands",
        found.variant,
        found.scheme,
        found.operator_count,
        found.float_operators,
        100 * found.float_share,
        found.islands,
    )
    if found.weight_error is not None:
        said = "inspect %s: %d weights are within %.3f quantization steps of the baseline's"
        work.say(said, found.variant, found.weights_compared, found.weight_error)
    for finding in found.findings:
        work.say("inspect %s: %s %s: %s", found.variant, finding.severity, finding.code, finding.message)
