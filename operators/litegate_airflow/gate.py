"""Gate: a verdict for every variant."""

from __future__ import annotations

from typing_extensions import override

from litegate.records import Candidate, Failure, GateRequest
from litegate_airflow.run_records import RunRecords
from litegate_airflow.step import StepOperator

__all__ = ["GateOperator"]


class GateOperator(StepOperator):
    """Returns `Verdicts`, also for variants whose tasks failed.

    Fails where the baseline is missing, or a champion that the policy compares with: nothing is then judged.
    """

    step = "judge"

    @override
    def request(self, records: RunRecords) -> GateRequest:
        records.check_measured()
        resolved = records.resolved()
        spec = resolved.spec
        candidates, failures = records.candidates(), records.failures()
        return GateRequest(
            policy=spec.gate,
            target=spec.target,
            variants=spec.quantized_variants,
            baseline=records.baseline(),
            candidates=candidates,
            champion=records.champion() if spec.gate.max_drop_from_champion is not None else None,
            metric_code=resolved.metric_code,
            seed=spec.calibration.seed,
            failures=(*failures, *_silent_failures(candidates, failures)),
            allow_evaluation=tuple(spec.evaluation.allow),
        )


def _silent_failures(candidates: tuple[Candidate, ...], failures: tuple[Failure, ...]) -> list[Failure]:
    """A task that was killed from outside leaves nothing, not even its failure."""
    reported = {failure.variant for failure in failures}
    silent = [(step, item.artifact.variant) for item in candidates if (step := _missing(item)) is not None]
    message = "the task ended without a result: open its log"
    return [
        Failure(step=step, kind="no_result", message=message, variant=variant)
        for step, variant in silent
        if variant not in reported
    ]


def _missing(candidate: Candidate) -> str | None:
    """The first step that a measured variant has no result of."""
    steps = {"inspect": candidate.inspection, "smoke": candidate.smoke, "profile": candidate.profile}
    return next((step for step, found in steps.items() if found is None), None)
