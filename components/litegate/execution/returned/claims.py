"""What a result says of its own request: a pure function for each step that runs or reads what users bring.

Each yields what does not hold, as a sentence; a result of which something does not hold was not made by the step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from litegate.records import (
    Artifact,
    BenchmarkRequest,
    Benchmarks,
    Calibrated,
    CalibrateRequest,
    Candidate,
    ConversionCheck,
    ConversionCheckRequest,
    Converted,
    ConvertRequest,
    DeviceSamples,
    DeviceSamplesRequest,
    Drift,
    DriftRequest,
    EvaluateFilesRequest,
    EvaluateRequest,
    FileEvaluation,
    FileEvaluations,
    FileFailure,
    FileShard,
    FileShards,
    FileSmokeRun,
    GateRequest,
    InferredSchema,
    InferSchemaRequest,
    Inspection,
    InspectRequest,
    Lint,
    LintRequest,
    Produced,
    ProduceRequest,
    QuantizeRequest,
    Record,
    Resolved,
    ResolveRequest,
    SampleRequest,
    SampleSet,
    ShardFilesRequest,
    ShardRequest,
    SmokeRequest,
    Snapshot,
    SnapshotRequest,
    TrainRequest,
    UserCode,
    Verdict,
    Verdicts,
)
from litegate.spec import slice_field
from litegate.spec.metric_facts import built_in_facts
from litegate.storage.versions import SAVED_MODEL
from litegate.variants import BASELINE, CHAMPION, GIVEN, VARIANTS

__all__ = ["CLAIMS", "equal", "problems"]

Problems = Iterator[str]

_TOOL = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MOST_TOOLS, _LONGEST_TOOL = 32, 1000


def problems(step: str, request: Record, result: Record) -> Problems:
    """What of a result contradicts its request."""
    return CLAIMS[step](request, result) if step in CLAIMS else iter(())


def equal(what: str, got: object, expected: object) -> Problems:
    """The one sentence, if it does not hold."""
    if got != expected:
        yield f"{what}: expected {expected!r:.200}, got {got!r:.200}"


def _at_most(what: str, got: float, limit: float | None) -> Problems:
    if limit is not None and got > limit:
        yield f"{what}: expected at most {limit:,}, got {got:,}"


def _sums_to(what: str, counts: Mapping[Any, int], total: int) -> Problems:
    """Counts of all of them, or none at all."""
    if counts:
        yield from equal(f"the sum of {what}", sum(counts.values()), total)


def _measured(
    result: FileEvaluation | FileFailure | FileShard | FileSmokeRun | Inspection, artifact: Artifact
) -> Problems:
    yield from equal("artifact_digest", result.artifact_digest, artifact.file.digest)


def _of_variant(result: Artifact, variant: str) -> Problems:
    yield from equal("variant", result.variant, variant)
    yield from equal("the file's name", result.file.name, f"{variant}.tflite")


def _produced(request: ProduceRequest, result: Produced) -> Problems:
    yield from equal("uri", result.uri, request.uri)


def _trained(request: TrainRequest, result: Produced) -> Problems:
    """A wildcard stands for the time and the digest of the version."""
    folder = request.uri.removesuffix(f"/{SAVED_MODEL}")
    version = rf"[0-9TZ.]+-{result.digest[:12]}"
    forms = [re.escape(uri).replace(r"\*", version) for uri in {request.uri, folder}]
    if not any(re.fullmatch(form, result.uri) for form in forms):
        yield from equal("uri", result.uri, request.uri)


def _resolved(request: ResolveRequest, result: Resolved) -> Problems:
    yield from equal("spec", result.spec, request.spec)
    yield from equal("overrides", result.overrides, request.overrides)
    yield from equal("remeasure", result.remeasure, request.remeasure)
    names = sorted(each.name for each in request.spec.candidates)
    yield from equal("names of candidates", sorted(result.candidates), names)
    yield from equal("trigger", result.trigger, request.announced[0] if request.announced else None)
    announced = {event.digest for event in request.announced}
    if announced and not announced & {None, result.model.digest}:
        yield f"the model: expected one that was announced, got {result.model.digest}"
    yield from _code_of_users(request, result)


def _snapshot(request: SnapshotRequest, result: Snapshot) -> Problems:
    yield from equal("spec", result.spec, request.spec)
    yield from _code_of_users(request, result)


def _code_of_users(request: ResolveRequest | SnapshotRequest, result: Resolved | Snapshot) -> Problems:
    """The folder of a user's code is opened to later steps."""
    spec = request.spec
    yield from _code("decoder", spec.evaluation.decoder, request.folder, result.decoder)
    yield from _code("preprocess", spec.preprocess, request.folder, result.preprocess)
    if isinstance(result, Resolved):
        tunes = spec.fine_tune.entry_point if spec.fine_tune else None
        yield from _code("fine_tune_code", tunes, request.folder, result.fine_tune_code)
    facts = built_in_facts(spec.evaluation.metric)
    if facts is not None:
        yield from equal("metric", result.metric, facts)
    yield from equal("the metric's name", result.metric.name, spec.evaluation.metric)
    yield from _code("metric_code", None if facts else spec.evaluation.metric, request.folder, result.metric_code)


def _code(what: str, reference: str | None, folder: str, got: UserCode | None) -> Problems:
    if got is None or reference is None:
        yield from equal(what, got, reference)
        return
    yield from equal(f"{what}.reference", got.reference, reference)
    yield from equal(f"{what}.folder", got.folder, folder)


def _converted(_: ConvertRequest, result: Converted) -> Problems:
    yield from _of_variant(result.artifact, BASELINE)
    names = [ref.name for ref in result.saved_model]
    yield from equal("names of the SavedModel's files", len(set(names)), len(names))
    yield from _at_most("tools", len(result.tools), _MOST_TOOLS)
    for name, said in result.tools.items():
        if not _TOOL.fullmatch(name) or len(said) > _LONGEST_TOOL:
            yield f"tools: expected names and versions, got {name!r:.100}: {said!r:.100}"


def _inferred(_: InferSchemaRequest, __: InferredSchema) -> Problems:
    """Nothing is known of the data before."""
    return iter(())


def _sampled(request: SampleRequest, result: SampleSet) -> Problems:
    yield from _at_most("samples", result.samples, min(request.samples, result.available))
    yield from _sums_to("labels", result.labels, result.samples)
    yield from equal("inputs", set(result.inputs), set(_inputs(request.artifact)))


def _inputs(artifact: Artifact) -> Iterator[str]:
    return (f"{key}/{name}" for key, signature in artifact.signatures.items() for name in signature.inputs)


def _for_device(request: DeviceSamplesRequest, result: DeviceSamples) -> Problems:
    keys = set(request.artifact.signatures)
    if result.signature not in keys or request.signature not in (None, result.signature):
        yield from equal("signature", result.signature, request.signature or sorted(keys))
    yield from equal("the file's name", result.file.name, "samples.npz")


def _linted(request: LintRequest, result: Lint) -> Problems:
    yield from equal("samples", result.samples, request.samples.samples)
    errors = [finding.code for finding in result.findings if finding.severity == "error"]
    yield from equal("errors, which end the step", errors, [])


def _agreed(request: ConversionCheckRequest, result: ConversionCheck) -> Problems:
    known = "model" if request.model.format != "tflite" else "recorded outputs" if request.recorded else "nothing"
    yield from equal("compared_with", result.compared_with, known)
    yield from equal("whether it was compared", result.max_abs_difference is not None, known != "nothing")
    if known != "recorded outputs":
        yield from _at_most("samples", result.samples, request.samples.samples)


def _calibrated(_: CalibrateRequest, result: Calibrated) -> Problems:
    yield from equal("whether there is a file", result.file is not None, bool(result.variants))
    yield from equal("the file's name", result.file and result.file.name, result.file and "calibrated.tflite")
    calibrated = {name for name, variant in VARIANTS.items() if variant.calibrated}
    yield from equal("variants that are not calibrated", sorted(set(result.variants) - calibrated), [])


def _quantized(request: QuantizeRequest, result: Artifact) -> Problems:
    yield from _of_variant(result, request.variant)
    yield from equal("signatures", set(result.signatures), set(request.baseline.signatures))
    if request.given is not None and request.engine == GIVEN:  # else it is a recipe
        yield from equal("the digest of a file that was given", result.file.digest, request.given.digest)
    yield from equal("whether it was searched for", result.recovery is not None, request.recover is not None)
    yield from equal("whether it was trained", result.fine_tuning is not None, request.fine_tune is not None)


def _inspected(request: InspectRequest, result: Inspection) -> Problems:
    yield from equal("variant", result.variant, request.artifact.variant)
    yield from _measured(result, request.artifact)
    yield from _at_most("float_operators", result.float_operators, result.operator_count)
    yield from _at_most("float_macs", result.float_macs, result.macs)


def _smoked(request: SmokeRequest, result: FileSmokeRun) -> Problems:
    yield from _measured(result, request.artifact)
    yield from _at_most("samples", result.samples, request.samples.samples)
    placed = result.placement
    asked = None if request.baseline is None else request.accelerator or None
    yield from equal("placement.accelerator", placed and placed.accelerator, asked)
    if placed is not None and (not placed.accelerated) != (placed.cycles is None):
        yield f"placement.cycles: expected some for {placed.accelerated} accelerated calls, got {placed.cycles}"


def _benchmarked(request: BenchmarkRequest, result: Benchmarks) -> Problems:
    """Every file is there once, with its figures or its failure; stored figures do not answer who asks for new ones."""
    found = [item.artifact_digest for item in result.files] + [item.artifact_digest for item in result.failures]
    yield from equal("digests of files", sorted(found), sorted(artifact.file.digest for artifact in request.files))
    if request.remeasure:
        yield from equal("remeasured", result.remeasured, request.remeasure)
    for ratio in (item.ratio for item in result.files if item.ratio is not None):
        if not ratio.low <= ratio.estimate <= ratio.high:
            yield f"ratio: expected one within its interval, got {ratio.low}, {ratio.estimate}, {ratio.high}"


def _evaluated(
    request: EvaluateFilesRequest | EvaluateRequest, result: FileEvaluations | FileEvaluation | FileFailure
) -> Problems:
    """Of one file, and of each of several."""
    if isinstance(request, EvaluateFilesRequest):
        assert isinstance(result, FileEvaluations)
        yield from equal("the number of files", len(result.files), len(request.files))
        for asked, found in zip(request.files, result.files, strict=False):
            yield from _evaluated(asked, found)
    elif isinstance(result, FileEvaluation):
        yield from _evaluated_file(request, result)
    else:
        assert isinstance(result, FileFailure)
        yield from _measured(result, request.artifact)


def _evaluated_file(request: EvaluateRequest, result: FileEvaluation) -> Problems:
    yield from _measured(result, request.artifact)
    yield from equal("the metric's name", result.metric.name, request.metric)
    yield from equal("metric", result.metric, built_in_facts(request.metric) or result.metric)
    yield from _at_most("samples", result.samples, result.available)
    yield from _at_most("available", result.available, request.max_samples)
    yield from _sums_to("class_samples", result.class_samples, result.available)
    fields = [slice_field(entry, request.data.format) for entry in request.data.slices]
    yield from equal("the fields of slices", sorted(result.slice_samples), sorted(fields))
    for field, values in result.slice_samples.items():
        yield from _sums_to(f"slice_samples of {field}", values, result.available)
    yield from _sums_to("predictions", result.predictions, result.samples)
    yield from equal("design", result.design, _design(request))
    if result.design != "interim":
        yield from equal("analyses", result.analyses, 1)
    if result.design == "fixed":
        yield from equal("samples", result.samples, result.available)
    yield from equal("host", result.host and result.host.runtime, request.host)
    if result.host is not None:
        yield from _at_most("available", result.available, result.host.samples)
        yield from _at_most("the host's samples", result.host.samples, request.max_samples)
    yield from _controlled(request, result)
    yield from _at_most("available", result.available, request.target_samples)
    device = None if request.evidence is None else request.runtime
    yield from equal("on_device", result.on_device and result.on_device.name, device)
    by_host = [each.host is not None for each in result.references]
    yield from equal("references run by the host", by_host, [request.host is not None] * len(by_host))
    beside = [(reference.role, reference.artifact.file.digest) for reference in request.references]
    yield from equal("references", [(each.role, each.artifact_digest) for each in result.references], beside)


def _sharded(request: ShardFilesRequest | ShardRequest, result: FileShards | FileShard | FileFailure) -> Problems:
    """Of one file, and of each of several; that all shards together are the samples, is seen where they are merged."""
    if isinstance(request, ShardFilesRequest):
        assert isinstance(result, FileShards)
        yield from equal("the number of files", len(result.files), len(request.files))
        for asked, found in zip(request.files, result.files, strict=False):
            yield from _sharded(asked, found)
        return
    assert isinstance(result, FileShard | FileFailure)
    file = request.file
    yield from _measured(result, file.artifact)
    if isinstance(result, FileShard):
        yield from _at_most("samples", result.samples, file.max_samples)
        yield from _at_most("samples", result.samples, file.target_samples)
        most = 1 + (1 + len(file.references)) * (1 if file.control is None else 2) * (file.host is not None)
        yield from _at_most("runs", len(result.runs), most)
        yield from equal("whether there are outcomes", bool(result.runs and result.runs[0]), result.samples > 0)


def _controlled(request: EvaluateRequest, result: FileEvaluation) -> Problems:
    """The control variate is what was asked for, or the host, and then there is a reason."""
    found = result.control
    yield from equal("whether there is a control variate", found is not None, request.control is not None)
    if found is not None:
        refused = bool(found.refused)
        yield from equal("the control variate", found.runtime, request.host if refused else request.control)
        yield from equal("whether it has outcomes of its own", found.outcomes is not None, not refused)
    for each in result.references:
        own = found is not None and not found.refused and each.role == CHAMPION
        if each.control is not None and not own:
            yield f"the control variate of the {each.role}: expected the host's outcomes, got others"


def _design(request: EvaluateRequest) -> str:
    if request.stopping is None:
        return "fixed"
    return "sequential" if request.stopping.first_samples is None else "interim"


def _drifted(request: DriftRequest, result: Drift) -> Problems:
    known = request.champion.reference.inputs
    for found in result.inputs:
        if not any(name.endswith(f"/{found.input}") for name in known):
            yield f"inputs: expected those of {', '.join(known)[:200]}, got {found.input!r:.100}"


def _judged(request: GateRequest, result: Verdicts) -> Problems:
    names = [verdict.variant for verdict in result.verdicts]
    yield from equal("variants", names, [BASELINE, *request.variants])
    candidates = {candidate.artifact.variant: candidate for candidate in request.candidates}
    for number, verdict in enumerate(result.verdicts):
        candidate = candidates.get(verdict.variant) if number else request.baseline
        yield from (f"the verdict of {verdict.variant}: {said}" for said in _verdict(request, verdict, candidate))


def _verdict(request: GateRequest, verdict: Verdict, candidate: Candidate | None) -> Problems:
    digest = candidate.artifact.file.digest if candidate else None
    yield from equal("digest", verdict.digest, digest)
    yield from equal("whether it is the baseline", verdict.state == "baseline", candidate is request.baseline)
    yield from _at_most("samples", verdict.samples, candidate.evaluated.samples if candidate else 0)
    for file in verdict.explanation:
        if not re.fullmatch(rf"{re.escape(verdict.variant)}-[a-z]+\.csv", file.name):
            yield f"explanation: expected tables of {verdict.variant}, got {file.name!r:.100}"
    if verdict.state == "passed":
        yield from _passed(request, verdict)


def _passed(request: GateRequest, verdict: Verdict) -> Problems:
    """What rules a variant out whatever it scored is known from the request alone."""
    from litegate.gate.file_facts import refusals  # numpy comes with it, which no other step's parent needs

    refused = [reason.code for reason in refusals(request, verdict.variant)]
    yield from equal("refusals of what passed", refused, [])
    states: Sequence[str] = [clause.state for clause in verdict.clauses] or ["no clause"]
    yield from equal("clauses of what passed", set(states), {"passed"})


CLAIMS: Mapping[str, Callable[[Any, Any], Problems]] = MappingProxyType(
    {
        "prepare": _produced,
        "train": _trained,
        "resolve": _resolved,
        "snapshot": _snapshot,
        "convert": _converted,
        "infer_schema": _inferred,
        "sample": _sampled,
        "device_samples": _for_device,
        "lint": _linted,
        "conversion_check": _agreed,
        "calibrate": _calibrated,
        "quantize": _quantized,
        "inspect": _inspected,
        "smoke": _smoked,
        "benchmark": _benchmarked,
        "evaluate": _evaluated,
        "evaluate_shard": _sharded,
        "drift": _drifted,
        "gate": _judged,
    }
)
"""By step, all that are confined among them; the others run our own code alone."""
