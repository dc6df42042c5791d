"""The DAG that trains a spec's model, and so starts its quantize DAG by the model's asset."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from litegate.errors import SpecError
from litegate_airflow.dags.owner import Owner
from litegate_airflow.events.schedules import model_asset, retrain_schedule
from litegate_airflow.operators.produce import TrainOperator
from litegate_airflow.runtime.spec_files import SpecLike, SpecSource

__all__ = ["retrain_dag"]

WAITING = timedelta(days=1)
"""For its turn in the pool."""


def retrain_dag(
    spec: SpecLike,
    *,
    folder: str | Path | None = None,
    dag_id: str = "",
    tags: Iterable[str] = (),
    owner: Owner | None = None,
    **dag: Any,
) -> DAG:
    """The DAG of a spec with a section `retrain`, `retrain__<model.name>`; the arguments are as of `quantize_dag`.

    Raises:
        SpecError: the spec cannot be used, or has no such section.
    """
    source, owner = SpecSource.of(spec, folder), owner or Owner()
    read = source.parsed or source.read()
    training = read.retrain
    if training is None:
        raise SpecError(f"{source.name}: retrain", "the section that says what trains", "nothing")
    own = {
        "description": f"Train {read.model.name} anew; its quantize DAG follows by the model's asset.",
        "doc_md": f"Runs `{training.entry_point or ' '.join(training.command or ())}`, as `{source.name}` says, and "
        f"puts what it makes at `{read.model.uri}` once it is known to be a model. The task leaves its address and "
        f"digest and announces it: `quantize__{read.model.name}` begins."
        + (f"\n\nThe spec's digest is `{source.digest}`." if source.digest else ""),
        "schedule": retrain_schedule(read),
        "catchup": False,
        "max_active_runs": 1,
        "dagrun_timeout": WAITING + timedelta(seconds=training.time_limit),
        "default_args": owner.defaults(),
        "tags": ["litegate", read.model.name, "retrain", *tags],
    }
    asset = model_asset(read, owner.aws_conn_id)
    with DAG(dag_id or f"retrain__{read.model.name}", **{**own, **dag}) as made:
        TrainOperator(task_id="train", spec=source, outlets=[asset], **owner.alone)
    return made
