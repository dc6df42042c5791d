"""Which facts of a run become parameters, metrics and tags in MLflow: pure functions of the request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from litegate.presentation import wording
from litegate.presentation.controls import control_of
from litegate.presentation.results_note import headline
from litegate.records import (
    Announcement,
    BaselineSummary,
    Benchmark,
    Candidate,
    DriftReference,
    RegisterRequest,
    RunOrigin,
    VariantRow,
    Verdict,
    warnings_of,
)
from litegate.report import table_rows
from litegate.tracking import notes, registry
from litegate.variants import BASELINE, variant_of

__all__ = [
    "NUMBERS",
    "began",
    "drift_reference",
    "metric_name",
    "origin_tags",
    "run_inputs",
    "run_metrics",
    "run_params",
    "trigger_tags",
    "variant_metrics",
    "variant_params",
    "variant_tags",
    "version_tags",
]

NUMBERS = frozenset(
    {"samples", "samples_available", "samples_needed", "clusters", "clusters_needed"}
    | {"bytes", "size_ratio", "latency_ms", "latency_p95_ms"}
    | {"latency_ratio", "latency_ratio_low", "latency_ratio_high"}
    | {"drop", "drop_low", "drop_high", "confidence", "p_value", "lost", "gained", "flipped", "agreement"}
    | {"worst_slice_drop"}
    | {"float_operators", "float_operator_share", "float_islands", "macs", "weight_error_steps", "warnings"}
    | {"kernel_difference", "kernel_agreement", "arena_bytes", "activation_bytes", "flash_bytes"}
    | {"cpu_operators", "estimated_sram_bytes", "estimated_cycles", "estimated_ms"}
    | {"host_other_outputs", "host_other_classes", "host_difference", "host_difference_low", "host_difference_high"}
    | {"host_samples", "host_drop", "device_latency_ms", "device_latency_p95_ms"}
)
"""What a variant's numbers are called in MLflow, beside the metric itself."""


def run_inputs(request: RegisterRequest) -> list[str]:
    """What the pipeline run's own record depends on; links may differ from try to try."""
    fixed = (
        request.resolved,
        request.conversion_check,
        request.samples,
        request.baseline,
        table_rows.baseline_verdict(request),
        *(_selected(request) or ()),
    )
    records = [record.model_dump_json() for record in fixed if record]
    return [request.run_key, str(sorted(request.tools.items())), *records]


def run_params(request: RegisterRequest) -> dict[str, object]:
    """Where the data came from and what was asked for."""
    resolved = request.resolved
    spec, code, metric = resolved.spec, resolved.preprocess, resolved.metric_code
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
        "evaluation_sequential": spec.evaluation.sequential,
        "evaluation_first_samples": spec.evaluation.first_samples,
        "evaluation_group": spec.evaluation.group,
        "evaluation_slices": ", ".join(spec.evaluation.slice_fields) or None,
        "metric": resolved.metric.name,
        "metric_digest": metric and metric.digest,
        "preprocess": code and code.reference,
        "preprocess_digest": code and code.digest,
        "target": spec.target,
        "select": spec.select,
    } | {f"gate_{name}": value for name, value in spec.gate.model_dump().items()}


def trigger_tags(trigger: Announcement | None) -> dict[str, str]:
    """Who announced the model that the run began with, if that is how it began."""
    if trigger is None:
        return {}
    said = {"trigger": trigger.source, "trigger.time": trigger.timestamp, "trigger.digest": trigger.digest}
    return {name: value for name, value in said.items() if value is not None}


def began(origin: RunOrigin) -> int | None:
    """When a run began, in milliseconds after 1970, where that is known."""
    return None if origin.began is None else int(1000 * datetime.fromisoformat(origin.began).timestamp())


def origin_tags(origin: RunOrigin) -> dict[str, str]:
    """What MLflow shows as a run's user and source, where they are known."""
    source = {"mlflow.source.name": origin.source, "mlflow.source.type": origin.source and "LOCAL"}
    return {name: text for name, text in ({"mlflow.user": origin.user} | source).items() if text}


def run_metrics(request: RegisterRequest) -> dict[str, float | None]:
    """The numbers of what was selected, if anything was; the baseline's value, and the conversion's."""
    baseline, selected = table_rows.baseline_of(request), _selected(request)
    return (variant_metrics(*selected, baseline) if selected else {}) | {
        f"baseline_{metric_name(baseline)}": baseline.value,
        "conversion_max_abs_difference": request.conversion_check.max_abs_difference,
        "conversion_agreement": request.conversion_check.agreement,
    }


def _selected(request: RegisterRequest) -> tuple[Candidate, Verdict] | None:
    """What was selected, with its verdict."""
    name = request.selection.variant
    pairs = (
        (candidate, verdict)
        for candidate in request.candidates
        for verdict in request.verdicts
        if candidate.artifact.variant == verdict.variant == name
    )
    return next(pairs, None)


def variant_params(name: str, engine: str) -> dict[str, object]:
    """What the engine was told; of a file that was given nothing is known."""
    variant = variant_of(name)
    known: dict[str, object] = {"variant": name, "scheme": variant.title, "engine": engine}
    recipe = variant.recipe
    if recipe is None:
        return known
    found = known | {
        "calibrated": recipe.calibrated,
        "io": recipe.io,
        "ops": ",".join(recipe.ops),
        "float16": recipe.float16,
    }
    return found if recipe.weights is None else found | asdict(recipe.weights)


def variant_metrics(candidate: Candidate, verdict: Verdict, baseline: BaselineSummary) -> dict[str, float | None]:
    """All numbers of one variant; the metric goes by its own name, or by its class where it is the user's."""
    size, benchmark = candidate.artifact.file.bytes, candidate.benchmark
    found: dict[str, float | None] = {
        "samples": candidate.evaluated.samples,
        "samples_available": candidate.evaluated.available,
        "clusters": candidate.evaluated.clusters if verdict.clusters is None else verdict.clusters,
        "bytes": size,
        "size_ratio": size / baseline.bytes,
        "latency_ms": benchmark.latency_ms if benchmark else None,
        "latency_p95_ms": benchmark.latency_p95_ms if benchmark else None,
    }
    if benchmark is not None and benchmark.ratio is not None:
        ratio = benchmark.ratio
        found |= {
            "latency_ratio": ratio.estimate,
            "latency_ratio_low": ratio.low,
            "latency_ratio_high": ratio.high,
        }
    if verdict.drop is not None:
        found |= _comparison(verdict)
    name, of_float32 = metric_name(baseline), verdict.value if verdict.state == "baseline" else verdict.baseline
    return (
        {name: verdict.value, f"{name}_{BASELINE}": of_float32}
        | found
        | _inspection(candidate)
        | _on_host(candidate, verdict)
        | _on_device(candidate)
    )


def metric_name(baseline: BaselineSummary) -> str:
    """What the metric is called in MLflow: its own name, with an ending where another number has that name."""
    name = wording.short_name(baseline.metric)
    return f"{name}_value" if name in NUMBERS else name


def _comparison(verdict: Verdict) -> dict[str, float | None]:
    """What was found on the pairs; the baseline has it too, as a point of every chart, and agrees with itself."""
    itself, unit = verdict.state == "baseline", "samples" if verdict.clusters is None else "clusters"
    return {
        "drop": verdict.drop,
        "drop_low": verdict.drop_low,
        "drop_high": verdict.drop_high,
        "confidence": verdict.confidence,
        "p_value": verdict.p_value,
        "lost": verdict.lost,
        "gained": verdict.gained,
        "flipped": verdict.flipped,
        "worst_slice_drop": verdict.slices[0].drop if verdict.slices else None,
        "agreement": 1.0 if itself else verdict.agreement,
        f"{unit}_needed": verdict.needed,
    }


def _on_host(candidate: Candidate, verdict: Verdict) -> dict[str, float | None]:
    """How the target's runtime and the host differ on the file, where both ran it."""
    found, host = verdict.disagreement, candidate.evaluated.host
    if found is None or host is None:
        return {}
    return {
        "host_samples": host.samples,
        "host_other_outputs": found.outputs,
        "host_other_classes": found.classes,
        "host_difference": found.difference,
        "host_difference_low": found.low,
        "host_difference_high": found.high,
        "host_drop": found.host_drop,
    }


def _on_device(candidate: Candidate) -> dict[str, float | None]:
    """How fast the real device was that judged the file, where one did."""
    found = candidate.evaluated.on_device
    if found is None:
        return {}
    return {"device_latency_ms": found.latency_ms, "device_latency_p95_ms": found.latency_p95_ms}


def _inspection(candidate: Candidate) -> dict[str, float | None]:
    """What the file's bytes say, and its smoke run."""
    inspection, smoke = candidate.inspection, candidate.smoke
    found: dict[str, float | None] = {}
    if inspection is not None:
        found |= {
            "float_operators": inspection.float_operators,
            "float_operator_share": inspection.float_share,
            "float_islands": inspection.islands,
            "macs": inspection.macs,
            "weight_error_steps": inspection.weight_error,
            "warnings": len(warnings_of(inspection, smoke)),
        }
    if smoke is not None:
        found |= {
            "kernel_difference": smoke.kernel_difference,
            "kernel_agreement": smoke.kernel_agreement,
            "arena_bytes": smoke.arena_bytes,
            "activation_bytes": smoke.activation_bytes,
        }
    return found | _footprint(candidate)


def _footprint(candidate: Candidate) -> dict[str, float | None]:
    """What it takes on a device that has it in its firmware; what a compiler estimates is called so."""
    footprint, placed = candidate.footprint, candidate.smoke.placement if candidate.smoke else None
    found: dict[str, float | None] = {} if footprint is None else {"flash_bytes": footprint.flash_bytes}
    if placed is not None:
        found |= {
            "cpu_operators": len(placed.on_cpu),
            "estimated_sram_bytes": placed.sram_bytes,
            "estimated_cycles": placed.cycles,
            "estimated_ms": placed.milliseconds,
        }
    return found


def variant_tags(request: RegisterRequest, candidate: Candidate | None, verdict: Verdict) -> dict[str, str]:
    """What runs are searched and read by."""
    spec = request.resolved.spec
    selected = request.resolved.overrides is None and verdict.variant == request.selection.variant
    tags = {
        "model": spec.model.name,
        "target": spec.target,
        registry.VARIANT: verdict.variant,
        "verdict": verdict.state,
        "verdict.selected": str(selected).lower(),
        "verdict.sentence": headline(verdict),
        "verdict.reasons": notes.reasons(verdict),
        "mlflow.note.content": notes.variant_note(verdict, candidate),
    }
    if verdict.slices:
        tags["verdict.worst_slice"] = verdict.slices[0].name
    if candidate is not None:
        tags |= {registry.DIGEST: candidate.artifact.file.digest, "kernels": candidate.evaluated.kernels}
        if candidate.evaluated.on_device is not None:
            tags["device"] = candidate.evaluated.on_device.name
        if control := control_of(candidate):
            tags["control_variate"] = control
        if candidate.inspection is not None:
            tags["file.scheme"] = candidate.inspection.scheme
            if warnings := warnings_of(candidate.inspection, candidate.smoke):
                tags["file.warnings"] = "; ".join(warnings)
        if candidate.benchmark is not None:
            tags |= _latency(candidate.benchmark)
    return tags


def _latency(benchmark: Benchmark) -> dict[str, str]:
    """Where and when it was measured, and what disturbed it."""
    found = {"host": benchmark.host, "measured_at": benchmark.measured_at or "", "noise": benchmark.noise}
    return {f"latency_{name}": text for name, text in found.items() if text}


def version_tags(request: RegisterRequest, row: VariantRow, rows: Sequence[VariantRow]) -> dict[str, str]:
    """The verdict of a version, what it was judged against, and all runs of this request that judged its bytes.

    Args:
        row: the variant that was selected.
        rows: all variants of the run: some may have equal bytes.
    """
    same = (each for each in rows if each.digest == row.digest and each.verdict == registry.PASSED)
    judged = {registry.evidence_tag(each.variant): str(each.mlflow_run_id) for each in same}
    evidence = {
        "drop": row.drop,
        "drop_low": row.drop_low,
        "drop_high": row.drop_high,
        "confidence": row.confidence,
        wording.short_name(request.resolved.metric.name): row.value,
    }
    return (
        {
            registry.STATE: row.verdict,
            registry.DIGEST: str(row.digest),
            registry.VARIANT: row.variant,
            "litegate.run_key": request.run_key,
            registry.BASELINE_DIGEST: request.baseline.artifact.file.digest,
            registry.SENTENCE: headline(row),
        }
        | judged
        | {name: f"{value:.6g}" for name, value in evidence.items() if value is not None}
    )


def drift_reference(request: RegisterRequest, variant: str) -> DriftReference:
    """What the data of a variant looked like, for those who compare later data with them."""
    predictions = [item.evaluated.predictions for item in request.candidates if item.artifact.variant == variant]
    code = request.resolved.preprocess
    return DriftReference(
        inputs=request.samples.inputs, predictions=predictions[0], preprocess_digest=code and code.digest
    )
