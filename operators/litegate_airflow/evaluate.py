"""Evaluate: what an artifact scores on the evaluation data set."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.gate.file_facts import FILE_CLAUSES
from litegate.records import Artifact, EvaluateRequest, Reference, Stopping
from litegate.spec import Evaluation, Gate, Spec
from litegate.variants import BASELINE, CHAMPION, TARGETS
from litegate_airflow.run_records import RunRecords
from litegate_airflow.step import VariantOperator

__all__ = ["REFERENCE_SAMPLES", "EvaluateOperator"]

REFERENCE_SAMPLES = 10_000
"""Where variants stop by themselves, the baseline and the champion run beside each of them on the same samples.

What they score by themselves is then only for their own rows, and must not cost more because there is more data.
"""


class EvaluateOperator(VariantOperator):
    """Returns an `Evaluated` of the baseline, of the champion, or of the variant of the same mapped instance.

    Without a champion its evaluation is skipped.
    """

    step = "evaluate"

    @override
    def request(self, records: RunRecords) -> EvaluateRequest:
        if self.variant == CHAMPION and records.champion_artifact() is None:
            raise AirflowSkipException("nothing was promoted yet: there is no champion to compare with")
        resolved = records.resolved()
        evaluation = resolved.spec.evaluation
        alone = self.variant in (BASELINE, CHAMPION) or not _ends_early(evaluation)
        artifact = records.artifact(self.variant)
        references = () if alone else _references(records, artifact)
        return EvaluateRequest(
            artifact=artifact,
            data=resolved.evaluation,
            metric=evaluation.metric,
            metric_code=resolved.metric_code,
            max_samples=_max_samples(evaluation, self.variant),
            seed=resolved.spec.calibration.seed,
            preprocess=resolved.preprocess,
            signature=evaluation.signature,
            references=references,
            stopping=None if alone else _stopping(resolved.spec, references),
        )


def _ends_early(evaluation: Evaluation) -> bool:
    return evaluation.sequential or evaluation.first_samples is not None


def _max_samples(evaluation: Evaluation, variant: str) -> int | None:
    asked = evaluation.max_samples_by_variant.get(variant, evaluation.max_samples)
    if evaluation.sequential and variant in (BASELINE, CHAMPION):
        return min(asked or REFERENCE_SAMPLES, REFERENCE_SAMPLES)
    return asked


def _references(records: RunRecords, variant: Artifact) -> tuple[Reference, ...]:
    champion = _compared_champion(records, variant)
    baseline = Reference(role="baseline", artifact=records.converted().artifact)
    return (baseline, Reference(role="champion", artifact=champion)) if champion else (baseline,)


def _compared_champion(records: RunRecords, variant: Artifact) -> Artifact | None:
    """None also for a variant that is the champion: it loses nothing against itself."""
    compares = records.resolved().spec.gate.max_drop_from_champion is not None
    champion = records.champion_artifact() if compares else None
    return None if champion is None or champion.file.digest == variant.file.digest else champion


def _stopping(spec: Spec, references: tuple[Reference, ...]) -> Stopping:
    has_champion = any(reference.role == CHAMPION for reference in references)
    return Stopping(
        policy=_policy_on_samples(spec.gate, has_champion),
        variants=len(TARGETS[spec.target].runnable & set(spec.quantized_variants)),
        first_samples=spec.evaluation.first_samples,
    )


def _policy_on_samples(policy: Gate, has_champion: bool) -> Gate:
    """Only the clauses that samples decide: a change of the others must not evaluate anything anew."""
    others = FILE_CLAUSES | {"on_reject"} | (set() if has_champion else {"max_drop_from_champion"})
    return Gate.model_validate(policy.model_dump(exclude=set(others)))
