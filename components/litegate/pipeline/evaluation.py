"""How far an artifact is evaluated: which samples, against which references, and when it may stop."""

from __future__ import annotations

from collections.abc import Iterator

from litegate.errors import StepFailed
from litegate.gate.file_facts import FILE_CLAUSES
from litegate.pipeline.results import Results
from litegate.records import (
    Artifact,
    Evaluated,
    EvaluateFilesRequest,
    EvaluateRequest,
    Evaluations,
    Judged,
    Reference,
    Stopping,
    UserCode,
)
from litegate.spec import Evaluation, Gate, Spec
from litegate.variants import BASELINE, CHAMPION, TARGETS, in_order, may_run, variant_of

__all__ = ["REFERENCE_SAMPLES", "evaluate_files_request", "evaluate_request", "evaluated_alone", "judged", "runtime_of"]

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
    evaluation = resolved.spec.evaluation
    alone = variant in (BASELINE, CHAMPION) or not _ends_early(evaluation)
    artifact = results.artifact(variant)
    references = () if alone else _references(results, artifact)
    return EvaluateRequest(
        artifact=artifact,
        runtime=runtime_of(resolved.spec),
        data=resolved.evaluation,
        metric=evaluation.metric,
        metric_code=resolved.metric_code,
        judged=judged(evaluation, resolved.decoder),
        max_samples=_max_samples(evaluation, variant),
        seed=resolved.spec.calibration.seed,
        preprocess=resolved.preprocess,
        signature=evaluation.signature,
        references=references,
        stopping=None if alone else _stopping(resolved.spec, references),
    )


def judged(evaluation: Evaluation, decoder: UserCode | None) -> Judged:
    """Which outputs the spec's metric judges, and how."""
    return Judged(output=evaluation.output, detection=evaluation.detection, decoder=decoder)


def runtime_of(spec: Spec) -> str:
    """What runs the files: the runtime of the target, for its word counts."""
    return TARGETS[spec.target].runtime


def _ends_early(evaluation: Evaluation) -> bool:
    return evaluation.sequential or evaluation.first_samples is not None


def _max_samples(evaluation: Evaluation, variant: str) -> int | None:
    asked = evaluation.max_samples_by_variant.get(variant_of(variant).name, evaluation.max_samples)
    if evaluation.sequential and variant in (BASELINE, CHAMPION):
        return min(asked or REFERENCE_SAMPLES, REFERENCE_SAMPLES)
    return asked


def _references(results: Results, variant: Artifact) -> tuple[Reference, ...]:
    champion = _compared_champion(results, variant)
    baseline = Reference(role="baseline", artifact=results.converted().artifact)
    return (baseline, Reference(role="champion", artifact=champion)) if champion else (baseline,)


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
