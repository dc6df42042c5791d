"""The DAGs of all spec files in a folder: a file more is a DAG more, and a broken one says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from airflow.sdk import DAG, get_parsing_context

from litegate_airflow.dags.owner import Owner
from litegate_airflow.dags.quantize import broken_dag, quantize_dag
from litegate_airflow.dags.requalify import requalify_dag
from litegate_airflow.dags.retrain import retrain_dag
from litegate_airflow.runtime.spec_files import SpecFile, read_spec_files

__all__ = ["quantize_dags", "requalify_dags", "retrain_dags"]


def quantize_dags(folder: str | Path, owner: Owner | None = None) -> list[DAG]:
    """One for each spec file in the folder, and in those of `LITEGATE_SPEC_FOLDERS`; a broken one too, to say why."""
    return [
        broken_dag(found.dag_id, found.path, found.problem)
        if found.spec is None
        else quantize_dag(found.source, owner=owner)
        for found in _specs(folder)
        if _wanted(found.dag_id)
    ]


def requalify_dags(folder: str | Path, owner: Owner | None = None) -> list[DAG]:
    """One for each of these spec files that has a section `requalify`."""
    specs = [(found.source, found.spec) for found in _specs(folder) if found.spec is not None]
    wanted = (source for source, spec in specs if spec.requalify and _wanted(f"requalify__{spec.model.name}"))
    return [requalify_dag(source, owner=owner) for source in wanted]


def retrain_dags(folder: str | Path, owner: Owner | None = None) -> list[DAG]:
    """One for each of these spec files that has a section `retrain`."""
    specs = [(found.source, found.spec) for found in _specs(folder) if found.spec is not None]
    wanted = (source for source, spec in specs if spec.retrain and _wanted(f"retrain__{spec.model.name}"))
    return [retrain_dag(source, owner=owner) for source in wanted]


def _specs(folder: str | Path) -> Iterator[SpecFile]:
    yield from read_spec_files(Path(folder)).values()


def _wanted(dag_id: str) -> bool:
    """A worker needs only its own DAG."""
    return get_parsing_context().dag_id in (None, dag_id)
