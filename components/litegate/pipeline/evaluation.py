"""How far an artifact is evaluated: which samples, against which references, and when it may stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from litegate.errors import StepFailed
from litegate.gate.file_facts import FILE_CLAUSES
from litegate.pipeline.results import Results
from litegate.records import (
    Artifact,
    Evaluated,
    EvaluateFilesRequest,
    EvaluateRequest,
    Evaluations,
    FileRef,
    Judged,
    Reference,
    Resolved,
    SampleChoice,
    Stopping,
    UserCode,
)
from litegate.spec import Evaluation, Gate, Spec
from litegate.variants import BASELINE, CHAMPION, DEVICE, HOST, TARGETS, in_order, may_run, variant_of

__all__ = [
    "REFERENCE_SAMPLES",
    "control_of",
    "evaluate_files_request",
    "evaluate_request",
    "evaluated_alone",
    "host_of",
    "judged",
    "runtime_of",
    "sample_choice",
    "usual_runtime_of",
]

REFERENCE_SAMPLES = 10_000
"""Where variants stop by themselves, the baseline and the champion run beside each of them on the same samples.

What they score by themselves is then only for their own rows, and must not cost more because there is more data.
"""


def evaluate_files_request(results: Results, variant: str = "") -> EvaluateFilesRequest:
    """The evaluation of all files that there are in one pass, or of the baseline, the champion or a variant alone."""
    variants = (variant,) if variant else tuple(_alive(results))
    return EvaluateFilesRequest(files=tuple(evaluate_request(results, each) for each in variants))


def evaluated_alone(evaluations: Evaluations) -> Evaluated:
    """What the only file of a request came to.

    Raises:
        StepFailed: it failed.
    """
    for failure in evaluations.failures:
        raise StepFailed("evaluate", failure.kind, failure.message)
    (done,) = evaluations.done
    return done


def _alive(results: Results) -> Iterator[str]:
    """The baseline, the champion where the gate compares with it, and every variant that nothing has failed of."""
    yield BASELINE
    compares = results.resolved().spec.gate.max_drop_from_champion is not None
    if compares and results.champion_artifact() is not None:
        yield CHAMPION
    failed = {failure.variant for failure in results.failures()}
    quantized = {artifact.variant for artifact in results.all(Artifact, "quantize")}
    yield from in_order(quantized - failed)


def evaluate_request(results: Results, variant: str) -> EvaluateRequest:
    """The evaluation of the baseline, of the champion, or of a variant."""
    resolved = results.resolved()
    evaluation, choice = resolved.spec.evaluation, sample_choice(resolved.spec, variant)
    artifact = results.artifact(variant)
    references = _references(results, artifact) if choice.in_random_order else ()
    runtime, evidence = _run_by(resolved, artifact, variant == BASELINE)
    return EvaluateRequest(
        artifact=artifact,
        runtime=runtime,
        evidence=evidence,
        host=host_of(resolved.spec),
        control=None if variant == BASELINE else control_of(resolved.spec),
        target_samples=choice.target_samples,
        data=resolved.evaluation,
        metric=evaluation.metric,
        metric_code=resolved.metric_code,
        judged=judged(evaluation, resolved.decoder),
        max_samples=choice.max_samples,
        seed=choice.seed,
        preprocess=resolved.preprocess,
        signature=evaluation.signature,
        references=references,
        stopping=_stopping(resolved.spec, references) if choice.in_random_order else None,
    )


def sample_choice(spec: Spec, variant: str) -> SampleChoice:
    """Which samples the baseline, the champion or a variant sees."""
    alone = variant in (BASELINE, CHAMPION) or not _ends_early(spec.evaluation)
    return SampleChoice(
        max_samples=_max_samples(spec.evaluation, variant),
        target_samples=spec.evaluation.target_samples,
        seed=spec.calibration.seed,
        in_random_order=not alone,
    )


def judged(evaluation: Evaluation, decoder: UserCode | None) -> Judged:
    """Which outputs the spec's metric judges, and how."""
    return Judged(output=evaluation.output, detection=evaluation.detection, decoder=decoder)


def runtime_of(spec: Spec) -> str:
    """What runs the files, for its word counts: a real device, if there is one, else the runtime of the target."""
    device = spec.evaluation.device
    return usual_runtime_of(spec) if device is None else f"{DEVICE}{device.name}"


def usual_runtime_of(spec: Spec) -> str:
    """The runtime of the target, which can be asked to run anything."""
    return TARGETS[spec.target].runtime


def host_of(spec: Spec) -> str | None:
    """What runs the files beside it: the host, where the target's word is not the host's own."""
    return None if runtime_of(spec) == HOST else HOST


def control_of(spec: Spec) -> str | None:
    """What runs variants on all samples as control variate; None where the host does, or where none is needed.

    None is where the target sees all samples, and where an evaluation that may end after any batch is judged on the
    target's alone.
    """
    evaluation, found = spec.evaluation, TARGETS[spec.target].control
    a_part = evaluation.target_samples is not None or evaluation.first_samples is not None
    needed = host_of(spec) is not None and a_part and not evaluation.sequential
    return found if needed and found != HOST else None


def _run_by(resolved: Resolved, artifact: Artifact, baseline: bool) -> tuple[str, FileRef | None]:
    """What runs a file, and what a device gave of it: of a baseline that no device ran the host's word counts."""
    runtime, evidence = runtime_of(resolved.spec), resolved.evidence.get(artifact.file.digest)
    recorded = resolved.spec.evaluation.device is not None
    return (HOST if recorded and baseline and evidence is None else runtime), evidence


def _ends_early(evaluation: Evaluation) -> bool:
    return evaluation.sequential or evaluation.first_samples is not None


def _max_samples(evaluation: Evaluation, variant: str) -> int | None:
    asked = evaluation.max_samples_by_variant.get(variant_of(variant).name, evaluation.max_samples)
    if evaluation.sequential and variant in (BASELINE, CHAMPION):
        return min(asked or REFERENCE_SAMPLES, REFERENCE_SAMPLES)
    return asked


def _references(results: Results, variant: Artifact) -> tuple[Reference, ...]:
    champion = _compared_champion(results, variant)
    found = {"baseline": results.converted().artifact} | ({"champion": champion} if champion else {})
    return tuple(_reference(results.resolved(), role, artifact) for role, artifact in found.items())


def _reference(resolved: Resolved, role: Any, artifact: Artifact) -> Reference:
    runtime, evidence = _run_by(resolved, artifact, role == "baseline")
    other = None if runtime == runtime_of(resolved.spec) else runtime
    return Reference(role=role, artifact=artifact, runtime=other, evidence=evidence)


def _compared_champion(results: Results, variant: Artifact) -> Artifact | None:
    """None also for a variant that is the champion: it loses nothing against itself."""
    compares = results.resolved().spec.gate.max_drop_from_champion is not None
    champion = results.champion_artifact() if compares else None
    return None if champion is None or champion.file.digest == variant.file.digest else champion


def _stopping(spec: Spec, references: tuple[Reference, ...]) -> Stopping:
    has_champion = any(reference.role == CHAMPION for reference in references)
    return Stopping(
        policy=_policy_on_samples(spec.gate, has_champion),
        variants=sum(may_run(spec.target, name) for name in spec.quantized_variants),
        first_samples=spec.evaluation.first_samples,
    )


def _policy_on_samples(policy: Gate, has_champion: bool) -> Gate:
    """Only the clauses that samples decide: a change of the others must not evaluate anything anew."""
    others = FILE_CLAUSES | {"on_reject"} | (set() if has_champion else {"max_drop_from_champion"})
    return Gate.model_validate(policy.model_dump(exclude=set(others)))
