"""The Airflow DAG `prepare__digits`: the data of the handwritten digits, which `retrain__digits` trains on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG

from litegate.spec import load_spec
from litegate_airflow.operators.produce import PrepareDataOperator

spec = load_spec(Path(__file__).parent / "model_specs" / "digits.yaml")
splits = {
    "train": spec.model.uri.replace("model.keras", "train.npz"),
    "calibration": spec.calibration.uri,
    "test": spec.evaluation.uri,
}

with DAG(
    "prepare__digits",
    description="Write the digits example's data to S3.",
    doc_md="The handwritten digits of scikit-learn in three parts: to train on, to calibrate with, to evaluate on. "
    "Each task writes one of them and leaves its address and digest. `retrain__digits` trains on the first.",
    schedule=None,
    catchup=False,
    dagrun_timeout=timedelta(hours=1),
    default_args={"retries": 1, "retry_delay": timedelta(seconds=10)},
    tags=["litegate", "digits", "prepare"],
):
    PrepareDataOperator.partial(
        task_id="prepare_data",
        entry_point="litegate.examples.digits:prepare",
        map_index_template="{{ task.arguments['split'] }}",
    ).expand_kwargs([{"uri": uri, "arguments": {"split": split}} for split, uri in splits.items()])
