"""What `register` has left in MLflow, read back."""

from __future__ import annotations

from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from litegate.records import RunResult

METRICS = {
    "top1",
    "top1_float32",
    "samples",
    "samples_available",
    "bytes",
    "size_ratio",
    "latency_ms",
    "latency_p95_ms",
    "latency_ratio",
    "latency_ratio_low",
    "latency_ratio_high",
}
PAIRED = {"drop", "drop_low", "drop_high", "lost", "gained", "flipped", "agreement"}
DROPS = PAIRED | {"confidence", "p_value"}


def children(result: RunResult) -> dict[str, Run]:
    wanted = f"tags.`mlflow.parentRunId` = '{result.mlflow_run_id}'"
    runs = MlflowClient().search_runs([result.experiment_id], wanted)
    by_variant = {run.data.tags["variant"]: run for run in runs}
    assert len(by_variant) == len(runs)
    return by_variant


def logged_models(result: RunResult) -> Any:
    return MlflowClient().search_logged_models([result.experiment_id])


def artifacts(run: Run, folder: str | None = None) -> list[str]:
    found = MlflowClient().list_artifacts(run.info.run_id, folder)
    return [path for item in found for path in (artifacts(run, item.path) if item.is_dir else [item.path])]


def census(result: RunResult, registry: str) -> dict[str, object]:
    """All that a repeated step could have doubled."""
    client = MlflowClient()
    runs = client.search_runs([result.experiment_id])
    return {
        "runs": sorted(run.info.run_id for run in runs),
        "artifacts": sorted((run.info.run_id, path) for run in runs for path in artifacts(run)),
        "points": sorted(len(client.get_metric_history(run.info.run_id, m)) for run in runs for m in run.data.metrics),
        "models": sorted(model.model_id for model in logged_models(result)),
        "model points": sorted(len(model.metrics) for model in logged_models(result)),
        "inputs": sorted(len(run.inputs.dataset_inputs) for run in runs),
        "versions": sorted(version.version for version in client.search_model_versions(f"name='{registry}'")),
    }
