"""DAGs that the scheduler makes before it forks the workers of their tasks, each of which would make its own.

A DAG is made of nothing but what its spec file says and its owner's arguments: where a worker finds both as they were,
it takes the DAG that is there. Whatever has changed since is read and made anew, as without this module.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass

from airflow.sdk import DAG

from litegate.spec import spec_digest
from litegate_airflow.dags.owner import Owner
from litegate_airflow.dags.quantize import ready_dag
from litegate_airflow.runtime.spec_files import SpecFile, read_spec_files

__all__ = ["made_ahead", "make_ahead"]

log = logging.getLogger("litegate")

_OF_SPECS = "quantize__"
_MOST = 100


@dataclass(frozen=True)
class _Made:
    found: SpecFile
    owner: Owner
    dag: DAG


_made: OrderedDict[str, _Made] = OrderedDict()
"""By DAG id, those that were asked for last at the end."""


def make_ahead(dag_id: str) -> None:
    """Have the DAG of a spec file of `LITEGATE_SPEC_FOLDERS` ready, if it is one; for want of it nothing fails."""
    if not dag_id.startswith(_OF_SPECS):  # other tasks are few, and the spec files may be many
        return
    try:
        if not _is_current(dag_id):
            _made.pop(dag_id, None)
            found = read_spec_files().get(dag_id)
            if found is not None and found.spec is not None:
                owner = Owner.of_environment()
                _made[dag_id] = _Made(found, owner, ready_dag(found.source, owner))
    except Exception as error:  # whoever runs the task says it too, where people look
        log.warning("%s is not made before its tasks begin: %s: %s", dag_id, type(error).__name__, error)
    while len(_made) > _MOST:
        _made.popitem(last=False)


def made_ahead(found: SpecFile, owner: Owner) -> DAG | None:
    """The DAG of a spec file, to be found by Airflow in the DAG file that is read; None if it has to be made."""
    made = _made.get(found.dag_id)
    if made is None or made.found != found or made.owner != owner:
        return None
    with made.dag as dag:  # by which Airflow knows what a DAG file has
        return dag


def _is_current(dag_id: str) -> bool:
    if dag_id not in _made:
        return False
    _made.move_to_end(dag_id)
    found = _made[dag_id].found
    return spec_digest(found.path) == found.digest
