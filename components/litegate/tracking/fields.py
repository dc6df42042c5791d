"""Which facts of a run become parameters, metrics and tags in MLflow: pure functions of the request."""

from __future__ import annotations

import math

from litegate.records import BaselineSummary, Candidate, RegisterRequest, VariantRow, Verdict
from litegate.tracking import notes, registry
from litegate.variants import VARIANTS

__all__ = [
    "baseline_of",
    "run_inputs",
    "run_metrics",
    "run_params",
    "variant_metrics",
    "variant_params",
    "variant_row",
    "variant_tags",
    "version_tags",
]


def run_inputs(request: RegisterRequest) -> list[str]:
    """What the pipeline run's own record depends on; links may differ from try to try."""
    fixed = (request.resolved, request.parity, request.samples, request.baseline)
    return [request.run_key, str(sorted(request.tools.items())), *(record.model_dump_json() for record in fixed)]


def run_params(request: RegisterRequest) -> dict[str, object]:
    """Where the data came from and what was asked for."""
    resolved = request.resolved
    spec, code = resolved.spec, resolved.preprocess
    return {
        "model_uri": resolved.model.uri,
        "model_digest": resolved.model.digest,
        "calibration_uri": resolved.calibration.uri,
        "calibration_digest": resolved.calibration.digest,
        "calibration_samples": request.samples.samples,
        "calibration_seed": spec.calibration.seed,
        "evaluation_uri": resolved.evaluation.uri,
        "evaluation_digest": resolved.evaluation.digest,
        "evaluation_samples": request.baseline.evaluated.samples,
        "preprocess": code and code.reference,
        "preprocess_digest": code and code.digest,
        "target": spec.target,
        "select": spec.select,
    } | {f"gate_{name}": value for name, value in spec.gate.model_dump().items()}


def run_metrics(request: RegisterRequest) -> dict[str, float | None]:
    """What holds for all variants: the baseline's value, and the conversion against the source model."""
    evaluated = request.baseline.evaluated
    return {
        f"baseline_{evaluated.metric}": evaluated.value,
        "parity_max_abs_difference": request.parity.max_abs_difference,
        "parity_agreement": request.parity.agreement,
    }


def variant_params(name: str) -> dict[str, object]:
    """The converter's settings."""
    variant = VARIANTS[name]
    return {
        "variant": name,
        "scheme": variant.title,
        "calibrated": variant.calibrated,
        "io": variant.io,
        "ops": ",".join(variant.ops),
        "float16": variant.float16,
    }


def variant_metrics(candidate: Candidate, verdict: Verdict, baseline: BaselineSummary) -> dict[str, float | None]:
    """All numbers of one variant."""
    size, profile = candidate.artifact.file.bytes, candidate.profile
    found: dict[str, float | None] = {
        candidate.evaluated.metric: candidate.evaluated.value,
        "samples": candidate.evaluated.samples,
        "bytes": size,
        "size_ratio": size / baseline.bytes,
        "latency_ms": profile.latency_ms if profile else None,
        "latency_p95_ms": profile.latency_p95_ms if profile else None,
    }
    if verdict.drop is None:
        return found
    return found | {
        "accuracy_drop": verdict.drop,
        "drop_low": verdict.drop_low,
        "drop_high": verdict.drop_high,
        "lost": verdict.lost,
        "gained": verdict.gained,
    }


def variant_tags(candidate: Candidate | None, verdict: Verdict) -> dict[str, str]:
    """What runs are searched and read by."""
    tags = {
        registry.VARIANT: verdict.variant,
        "verdict": verdict.state,
        "verdict.reasons": notes.reasons(verdict),
        "mlflow.note.content": notes.variant_note(verdict),
    }
    if candidate is not None:
        tags |= {registry.DIGEST: candidate.artifact.file.digest, "kernels": candidate.evaluated.kernels}
        if candidate.profile is not None:
            tags["latency_host"] = candidate.profile.host
    return tags


def version_tags(request: RegisterRequest, row: VariantRow) -> dict[str, str]:
    """The verdict of a version and what it was judged against."""
    evidence = {
        "drop": row.drop,
        "drop_low": row.drop_low,
        "drop_high": row.drop_high,
        request.baseline.evaluated.metric: row.value,
    }
    return {
        registry.STATE: row.verdict,
        registry.DIGEST: str(row.digest),
        registry.VARIANT: row.variant,
        "litegate.run_key": request.run_key,
        "baseline_sha256": request.baseline.artifact.file.digest,
    } | {name: f"{value:.6g}" for name, value in evidence.items() if value is not None}


def baseline_of(candidate: Candidate) -> BaselineSummary:
    """The baseline's numbers that variants are compared with."""
    evaluated = candidate.evaluated
    return BaselineSummary(
        bytes=candidate.artifact.file.bytes,
        metric=evaluated.metric,
        value=evaluated.value,
        samples=evaluated.samples,
    )


def variant_row(candidate: Candidate | None, verdict: Verdict, uri: str | None, run_id: str) -> VariantRow:
    """One row of the result table; what is not finite counts as not measured."""
    return VariantRow(
        variant=verdict.variant,
        bytes=candidate and candidate.artifact.file.bytes,
        value=_finite(candidate.evaluated.value if candidate else verdict.value),
        drop=_finite(verdict.drop),
        drop_low=_finite(verdict.drop_low),
        drop_high=_finite(verdict.drop_high),
        samples=verdict.samples or (candidate.evaluated.samples if candidate else 0),
        verdict=verdict.state,
        reasons=tuple(reason.message for reason in verdict.reasons),
        latency_ms=_finite(candidate.profile.latency_ms if candidate and candidate.profile else None),
        digest=candidate.artifact.file.digest if candidate else verdict.digest,
        uri=uri,
        mlflow_run_id=run_id,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
