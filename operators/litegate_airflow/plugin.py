"""What litegate adds to Airflow's servers.

The note of a DAG run, once the run has ended, says what came of it. A task may not write to its run: it leaves the
words in XCom, and the scheduler, which has the run at hand, takes them from there. And on SQLite the API server writes
for one request at a time (`litegate_airflow.api_writes`). Every process of Airflow imports this file, so that it
imports nothing that takes time.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from airflow.configuration import conf
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

from litegate_airflow.api_writes import middlewares
from litegate_airflow.runtime.note import NOTE

if TYPE_CHECKING:
    from airflow.models import DagRun
    from sqlalchemy.orm import Session

__all__ = ["LitegatePlugin", "on_dag_run_failed", "on_dag_run_success"]

log = logging.getLogger("litegate")

AUTHOR = "litegate"
"""Whose notes may be replaced when a run is cleared and ends anew: not those of people."""


@hookimpl
def on_dag_run_success(dag_run: DagRun) -> None:
    """Note what came of a run."""
    _note(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: DagRun) -> None:
    """Note why a run has failed, if one of litegate's tasks knows."""
    _note(dag_run)


def _note(dag_run: DagRun) -> None:
    from sqlalchemy.orm import object_session

    try:
        session = object_session(dag_run)
        if session is None:  # `airflow dags test`: nobody will save it
            return
        own = dag_run.dag_run_note is None or dag_run.dag_run_note.user_id == AUTHOR
        if own and (said := _said_last(dag_run, session)):
            _write(dag_run, said)
    except Exception:
        log.exception("the run %s of %s has no note", dag_run.run_id, dag_run.dag_id)


def _write(dag_run: DagRun, said: str) -> None:
    if dag_run.dag_run_note is None:
        dag_run.note = (said, AUTHOR)
    else:
        dag_run.dag_run_note.content = said


def _said_last(dag_run: DagRun, session: Session) -> str | None:
    from airflow.models.xcom import XComModel
    from sqlalchemy import select

    said = select(XComModel).where(XComModel.dag_run_id == dag_run.id, XComModel.key == NOTE)
    last = session.scalar(said.order_by(XComModel.timestamp.desc()).limit(1))
    return None if last is None else str(XComModel.deserialize_value(last))


class LitegatePlugin(AirflowPlugin):
    """Registers this module's listeners; Airflow finds it by the entry point `airflow.plugins`."""

    name = "litegate"
    listeners = [sys.modules[__name__]]  # noqa: RUF012 (what Airflow reads)
    fastapi_root_middlewares = middlewares(conf.get("database", "sql_alchemy_conn", fallback=""))
