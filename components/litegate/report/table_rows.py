"""The numbers of a run as the result table has them: what is not finite counts as not measured."""

from __future__ import annotations

import math

from litegate.gate.outcome import variant_outcome
from litegate.gate.selection import refuted_digests
from litegate.presentation import wording
from litegate.presentation.devices import not_on_device
from litegate.presentation.disagreements import differs
from litegate.presentation.fine_tunings import fine_tuned
from litegate.presentation.recoveries import recovered
from litegate.records import (
    BaselineSummary,
    Candidate,
    RegisterRequest,
    VariantOutcome,
    VariantRow,
    Verdict,
    warnings_of,
)

__all__ = ["baseline_of", "baseline_verdict", "data_warnings", "outcomes_of", "variant_row"]


def baseline_of(request: RegisterRequest) -> BaselineSummary:
    """The baseline's numbers that variants are compared with; its value is what its own verdict says."""
    candidate, verdict, metric = request.baseline, baseline_verdict(request), request.resolved.metric
    return BaselineSummary(
        bytes=candidate.artifact.file.bytes,
        metric=metric.name,
        higher_is_better=metric.higher_is_better,
        percent=wording.is_percent(metric),
        value=_finite(verdict.value if verdict else None),
        samples=candidate.evaluated.samples,
    )


def outcomes_of(request: RegisterRequest) -> dict[str, VariantOutcome]:
    """What the verdicts come to, by variant: a file that breaks the policy under another name is rejected, too."""
    refuted = refuted_digests(request.verdicts)
    return {verdict.variant: variant_outcome(verdict, refuted) for verdict in request.verdicts}


def data_warnings(request: RegisterRequest) -> tuple[str, ...]:
    """What is odd about the data that a run rests on, and about the float32 file."""
    by_host = not_on_device(request.baseline, request.candidates)
    lint = request.lint.findings if request.lint else ()
    found = (": ".join(filter(None, (finding.input, finding.message))) for finding in lint)
    return (*request.conversion_check.warnings, *found, *filter(None, [by_host]))


def variant_row(
    candidate: Candidate | None,
    verdict: Verdict,
    outcome: VariantOutcome,
    uri: str | None,
    run_id: str | None,
    model_id: str | None,
) -> VariantRow:
    """One row of the result table; what is not finite counts as not measured.

    Args:
        outcome: what the verdict comes to.
        uri: where its file is.
        run_id, model_id: of MLflow; None where nothing is recorded there.
    """
    inspection, smoke = (candidate.inspection, candidate.smoke) if candidate else (None, None)
    found = verdict.disagreement
    return VariantRow(
        variant=verdict.variant,
        bytes=candidate and candidate.artifact.file.bytes,
        value=_finite(verdict.value),
        drop=_finite(verdict.drop),
        drop_low=_finite(verdict.drop_low),
        drop_high=_finite(verdict.drop_high),
        samples=verdict.samples or (candidate.evaluated.samples if candidate else 0),
        clusters=verdict.clusters,
        verdict=verdict.state,
        outcome=outcome,
        sentence=verdict.sentence,
        reasons=tuple(reason.message for reason in verdict.reasons),
        confidence=verdict.confidence,
        needed=verdict.needed,
        agreement=_finite(verdict.agreement),
        clauses=verdict.clauses,
        classes=verdict.classes,
        slices=verdict.slices,
        slice_count=verdict.slice_count,
        rare=verdict.rare,
        rare_classes=verdict.rare_classes,
        flipped=verdict.flipped,
        flips=verdict.flips,
        scheme=inspection.scheme if inspection else None,
        float_share=inspection.float_share if inspection else None,
        warnings=warnings_of(inspection, smoke),
        latency_ms=_finite(candidate.benchmark.latency_ms if candidate and candidate.benchmark else None),
        benchmark=candidate.benchmark if candidate else None,
        digest=candidate.artifact.file.digest if candidate else verdict.digest,
        uri=uri,
        mlflow_run_id=run_id,
        mlflow_model_id=model_id,
        on_target=differs(found, candidate.evaluated.metric) if found and candidate else "",
        disagreement=found,
        footprint=candidate.footprint if candidate else None,
        on_device=candidate.evaluated.on_device if candidate else None,
        recovered=recovered(candidate.artifact.recovery) if candidate and candidate.artifact.recovery else "",
        fine_tuned=fine_tuned(candidate.artifact.fine_tuning) if candidate and candidate.artifact.fine_tuning else "",
    )


def baseline_verdict(request: RegisterRequest) -> Verdict | None:
    """What the gate says of the baseline itself, if it was asked."""
    return next((verdict for verdict in request.verdicts if verdict.state == "baseline"), None)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
