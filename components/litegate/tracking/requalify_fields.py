"""Which facts of a requalification become parameters, metrics and tags in MLflow: pure functions of the request."""

from __future__ import annotations

from litegate.presentation import wording
from litegate.records import RequalifyRequest
from litegate.tracking import registry

__all__ = ["content", "metrics", "params", "tags"]


def content(request: RequalifyRequest) -> list[str]:
    """What a record depends on; links may differ from try to try."""
    records = (request.snapshot, request.champion, request.verdict, request.drift)
    return [request.run_key, *(record.model_dump_json() for record in records)]


def params(request: RequalifyRequest) -> dict[str, object]:
    """What was asked for, of which files, on which data."""
    snapshot, champion = request.snapshot, request.champion
    limits = snapshot.spec.requalify
    asked = limits.model_dump(exclude={"uri", "format", "label", "features", "schedule"}) if limits else {}
    return {
        "data_uri": snapshot.data.uri,
        "data_digest": snapshot.data.digest,
        "metric": snapshot.metric.name,
        "preprocess": snapshot.preprocess and snapshot.preprocess.reference,
        "preprocess_digest": snapshot.preprocess and snapshot.preprocess.digest,
        registry.BASELINE_DIGEST: champion.baseline.file.digest,
    } | {f"requalify_{name}": value for name, value in asked.items()}


def metrics(request: RequalifyRequest) -> dict[str, float | None]:
    """All numbers; of several inputs the one that drifted most."""
    verdict, drift = request.verdict, request.drift
    found: dict[str, float | None] = {
        "champion_version": request.champion.version,
        "samples": verdict.samples,
        "clusters": verdict.clusters,
        "drop": verdict.drop,
        "drop_low": verdict.drop_low,
        "drop_high": verdict.drop_high,
        "agreement": verdict.agreement,
        "worst_slice_drop": verdict.slices[0].drop if verdict.slices else None,
        "drift_outside": max((each.outside for each in drift.inputs), default=None),
        "drift_shift": max((each.shift for each in drift.inputs), default=None),
        "drift_psi": max((each.psi for each in drift.inputs), default=None),
        "drift_psi_predictions": drift.predictions_psi,
        "drift_findings": len(drift.findings),
    }
    name = wording.short_name(request.snapshot.metric.name)
    own = f"{name}_value" if name in found else name
    return {own: verdict.value, f"baseline_{name}": verdict.baseline} | found


def tags(request: RequalifyRequest, sentence: str) -> dict[str, str]:
    """What runs are searched and read by."""
    spec, champion = request.snapshot.spec, request.champion
    return {
        "model": spec.model.name,
        "version": str(champion.version),
        "verdict": request.verdict.state,
        "verdict.sentence": sentence,
        "drift": "found" if request.drift.findings else "none",
        "drift.sentence": request.drift.sentence,
        registry.VARIANT: champion.artifact.variant,
        registry.DIGEST: champion.artifact.file.digest,
        "kernels": request.kernels,
    }
