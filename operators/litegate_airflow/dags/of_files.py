"""The DAGs of all spec files in a folder: a file more is a DAG more, and a broken one says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from airflow.sdk import DAG

from litegate_airflow.dags.ahead import made_ahead
from litegate_airflow.dags.owner import Owner
from litegate_airflow.dags.quantize import broken_dag, quantize_dag
from litegate_airflow.dags.requalify import requalify_dag
from litegate_airflow.dags.retrain import retrain_dag
from litegate_airflow.runtime.spec_files import SpecFile, read_for_a_task, read_spec_files, wanted

__all__ = ["quantize_dags", "requalify_dags", "retrain_dags"]


def quantize_dags(folder: str | Path, owner: Owner | None = None) -> list[DAG]:
    """One for each spec file in the folder, and in those of `LITEGATE_SPEC_FOLDERS`; a broken one too, to say why."""
    return [_quantize_dag(found, owner) for found in _specs(folder, "quantize") if wanted(found.dag_id)]


def requalify_dags(folder: str | Path, owner: Owner | None = None) -> list[DAG]:
    """One for each of these spec files that has a section `requalify`."""
    specs = [(found.source, found.spec) for found in _specs(folder, "requalify") if found.spec is not None]
    asked = (source for source, spec in specs if spec.requalify and wanted(f"requalify__{spec.model.name}"))
    return [requalify_dag(source, owner=owner) for source in asked]


def retrain_dags(folder: str | Path, owner: Owner | None = None) -> list[DAG]:
    """One for each of these spec files that has a section `retrain`."""
    specs = [(found.source, found.spec) for found in _specs(folder, "retrain") if found.spec is not None]
    asked = (source for source, spec in specs if spec.retrain and wanted(f"retrain__{spec.model.name}"))
    return [retrain_dag(source, owner=owner) for source in asked]


def _quantize_dag(found: SpecFile, owner: Owner | None) -> DAG:
    if found.spec is None:
        return broken_dag(found.dag_id, found.path, found.problem)
    ready = made_ahead(found, owner or Owner()) if read_for_a_task() else None
    return ready or quantize_dag(found.source, owner=owner)


def _specs(folder: str | Path, kind: str) -> Iterator[SpecFile]:
    """None where a worker has loaded the file for a DAG of another kind: it need not wait for what it does not use."""
    if wanted(f"{kind}__*"):
        yield from read_spec_files(Path(folder)).values()
