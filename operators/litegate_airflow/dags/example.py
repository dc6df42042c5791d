"""The DAG that writes the data of the handwritten digits, where somebody has asked for the example."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG

from litegate.spec import Spec
from litegate_airflow.dags.owner import Owner
from litegate_airflow.operators.produce import PrepareDataOperator
from litegate_airflow.runtime.spec_files import read_spec_files, wanted

__all__ = ["example_dags"]

_ID = "prepare__digits"


def example_dags(folder: str | Path, spec: Path, owner: Owner | None = None) -> list[DAG]:
    """The DAG `prepare__digits`, if the example is among the spec files.

    Args:
        folder: with the spec files; those of `LITEGATE_SPEC_FOLDERS` are read too.
        spec: the example's.
        owner: default arguments.
    """
    if not wanted(_ID):
        return []
    found = read_spec_files(Path(folder)).values()
    return [_dag(each.spec, owner or Owner()) for each in found if each.spec and each.path.resolve() == spec.resolve()]


def _dag(spec: Spec, owner: Owner) -> DAG:
    splits = {
        "train": spec.model.uri.replace("model.keras", "train.npz"),
        "calibration": spec.calibration.uri,
        "test": spec.evaluation.uri,
    }
    with DAG(
        _ID,
        description="Write the digits example's data to S3.",
        doc_md="The handwritten digits of scikit-learn in three parts: to train on, to calibrate with, to evaluate "
        "on. Each task writes one of them and leaves its address and digest. `retrain__digits` trains on the first.",
        schedule=None,
        catchup=False,
        dagrun_timeout=timedelta(hours=1),
        default_args=owner.defaults(),
        tags=["litegate", "digits", "prepare"],
    ) as made:
        PrepareDataOperator.partial(
            task_id="prepare_data",
            entry_point="litegate.examples.digits:prepare",
            map_index_template="{{ task.arguments['split'] }}",
        ).expand_kwargs([{"uri": uri, "arguments": {"split": split}} for split, uri in splits.items()])
    return made
