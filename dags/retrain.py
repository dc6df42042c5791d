"""One Airflow DAG per spec file with a `retrain` section: train, and so start the quantize DAG by the model's asset."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, get_parsing_context

from litegate.spec import Retrain, Spec
from litegate_airflow.events.schedules import model_asset, retrain_schedule
from litegate_airflow.operators.produce import TrainOperator
from litegate_airflow.runtime.spec_files import read_spec_files

WAITING = timedelta(days=1)  # for its turn in the pool


def retrain(dag_id: str, path: Path, spec: Spec, training: Retrain) -> None:
    """The DAG of a spec that says how its model is trained."""
    with DAG(
        dag_id,
        description=f"Train {spec.model.name} anew; its quantize DAG follows by the model's asset.",
        doc_md=f"Runs `{training.entry_point or ' '.join(training.command or ())}`, as `{path.name}` says, and puts "
        f"what it makes at `{spec.model.uri}` once it is known to be a model. The task leaves its address and digest "
        f"and announces it: `quantize__{spec.model.name}` begins.",
        schedule=retrain_schedule(spec),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=WAITING + timedelta(seconds=training.time_limit),
        default_args={"retries": 1, "retry_delay": timedelta(seconds=10)},
        tags=["litegate", spec.model.name, "retrain"],
    ):
        TrainOperator(task_id="train", spec_path=str(path), outlets=[model_asset(spec)], pool="litegate", pool_slots=2)


wanted = get_parsing_context().dag_id  # set in a worker, which needs only its own DAG
for found in read_spec_files(Path(__file__).parent / "model_specs").values():
    if found.spec is not None and found.spec.retrain is not None:
        dag_id = f"retrain__{found.spec.model.name}"
        if wanted in (None, dag_id):
            retrain(dag_id, found.path, found.spec, found.spec.retrain)
