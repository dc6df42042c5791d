"""The Airflow DAG `retrain__digits`: prepare the handwritten digits, train, and so start `quantize__digits`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG

from litegate.spec import load_spec
from litegate_airflow.produce import PrepareDataOperator, TrainOperator
from litegate_airflow.specs import model_asset

spec = load_spec(Path(__file__).parent / "model_specs" / "digits.yaml")
train_uri = spec.model.uri.replace("model.keras", "train.npz")
splits = {"train": train_uri, "calibration": spec.calibration.uri, "test": spec.evaluation.uri}

with DAG(
    "retrain__digits",
    description="Train the digits example anew; its quantize DAG follows by the model's asset.",
    schedule=None,
    catchup=False,
    dagrun_timeout=timedelta(hours=1),
    default_args={"retries": 1, "retry_delay": timedelta(seconds=10)},
    tags=["litegate", "digits", "retrain"],
):
    prepare_data = PrepareDataOperator.partial(
        task_id="prepare_data",
        entry_point="litegate.examples.digits:prepare",
        map_index_template="{{ task.arguments['split'] }}",
    ).expand_kwargs([{"uri": uri, "arguments": {"split": split}} for split, uri in splits.items()])
    train = TrainOperator(
        task_id="train",
        entry_point="litegate.examples.digits:train",
        arguments={"data": train_uri, "epochs": 30},
        uri=spec.model.uri,
        outlets=[model_asset(spec)],
        pool="litegate",
        pool_slots=2,
    )
    prepare_data >> train
