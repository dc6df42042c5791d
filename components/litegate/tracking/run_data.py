"""What a run holds in MLflow: parameters, metrics, tags and the names of datasets, each kind written at once."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import PurePosixPath

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModel, Metric, Param, Run, RunTag

from litegate.records import DataRef
from litegate.storage.opening import open_storage

__all__ = ["NOTE", "cut", "dataset", "log", "log_datasets", "tag"]

NOTE = "mlflow.note.content"
DATASET_DIGEST_LIMIT = 36
TAG_LIMIT = 5000


def log(
    client: MlflowClient,
    run: Run,
    params: Mapping[str, object] | None = None,
    metrics: Mapping[str, float | None] | None = None,
    model: LoggedModel | None = None,
    data: Dataset | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write to a run at once, and its metrics to the logged model too; writing the same again changes nothing.

    A metric that is None, NaN or infinite is left out: MLflow would store infinity as a finite number.
    """
    name, digest = (data.name, data.digest) if data is not None else (None, None)
    known = {(each.key, each.value, each.dataset_digest) for each in model.metrics or ()} if model else set()

    def point(key: str, value: float) -> Metric:
        # At the run's own start time, so that a repeated point is the same point.
        at, new = run.info.start_time, (key, value, digest) not in known
        whose = model.model_id if model and new else None
        return Metric(key, value, at, 0, model_id=whose, dataset_name=name, dataset_digest=digest)

    finite = [(key, value) for key, value in (metrics or {}).items() if value is not None and math.isfinite(value)]
    client.log_batch(
        run.info.run_id,
        metrics=[point(key, float(value)) for key, value in finite],
        params=[Param(key, str(value)) for key, value in (params or {}).items() if value is not None],
        tags=[RunTag(key, value) for key, value in cut(tags or {}).items()],
    )


def tag(client: MlflowClient, run_id: str, tags: Mapping[str, str], known: Mapping[str, str] | None = None) -> None:
    """Set all tags of a run at once, but for those that it is known to have, cut to what MLflow keeps of them."""
    new = {name: value for name, value in cut(tags).items() if (known or {}).get(name) != value}
    if new:
        client.log_batch(run_id, tags=[RunTag(name, value) for name, value in new.items()])


def cut(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags as long as MLflow keeps them."""
    return {name: value[:TAG_LIMIT] for name, value in tags.items()}


def dataset(data: DataRef, samples: int) -> Dataset:
    """MLflow's name for a pinned dataset of so many samples; nothing is read."""
    return Dataset(
        name=PurePosixPath(data.uri.rstrip("/")).stem or "data",
        digest=data.digest[:DATASET_DIGEST_LIMIT],
        source_type=open_storage(data.uri).kind,
        source=json.dumps({"uri": data.uri}),
        profile=json.dumps({"num_rows": samples}),
    )


def log_datasets(client: MlflowClient, run: Run, **by_context: Dataset) -> None:
    """Name the datasets that a run used, by what for."""
    inputs = [DatasetInput(data, [InputTag("mlflow.data.context", context)]) for context, data in by_context.items()]
    client.log_inputs(run.info.run_id, inputs)
