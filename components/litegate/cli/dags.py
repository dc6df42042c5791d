"""From a spec file to a run of its DAG."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from litegate.bell import parse_bell_in, ring
from litegate.cli.pace import Pace
from litegate.cli.progress import Progress
from litegate.errors import DataError, ModelError, SpecError, StackError
from litegate.spec import Spec
from litegate.stack.airflow_api import AirflowApi, RunId
from litegate.storage.globs import split_glob
from litegate.storage.opening import local_path

__all__ = [
    "ENDED_BY",
    "check_local_inputs",
    "check_required",
    "new_run",
    "wait_for_dag",
]

ENDED_BY = "ended by "
"""Begins the note of a run that was ended with the command that had begun it."""

_PARSE_LIMIT = 120
_LOOKS, _PAUSE = 5, 0.1
# At one DAG, before the parse of its file is asked for again.


def check_local_inputs(spec: Spec) -> None:
    """Find a mistyped path before anything is started.

    Raises:
        ModelError, DataError: naming the key of the path that does not exist.
    """
    for key, uri, error in (
        ("model.uri", spec.model.uri, ModelError),
        ("calibration.uri", spec.calibration.uri, DataError),
        ("evaluation.uri", spec.evaluation.uri, DataError),
    ):
        folder = (split_glob(uri) or (uri, ""))[0]
        path = local_path(folder)
        if path is not None and not path.exists():
            raise error(key, "an existing file or folder", f"nothing at {uri}")


def check_required(spec: Spec, required: Sequence[str]) -> None:
    """Find a mistyped variant before anything is started.

    Raises:
        SpecError: a required variant is none of the spec's.
    """
    for name in required:
        if name not in spec.quantized_variants:
            raise SpecError("--require", f"one of the variants {', '.join(spec.quantized_variants)}", repr(name))


def wait_for_dag(airflow: AirflowApi, home: Path, dag_id: str, digest: str = "") -> None:
    """Wait until Airflow knows the DAG, and, if it is one of a spec file, has read the file of this digest.

    Args:
        home: of the servers, for the bell of their DAG processor.

    Raises:
        StackError: if it does not, with what is wrong in the DAG files.
    """
    deadline = time.monotonic() + _PARSE_LIMIT
    last = _parsed(airflow.dag(dag_id))
    if _knows(airflow, dag_id, last, digest):
        return
    with Progress(f"waiting for the DAG {dag_id}"):
        while not _knows(airflow, dag_id, last, digest):
            if time.monotonic() > deadline:
                problems = "\n".join(airflow.import_errors()) or "no DAG file reports an error"
                raise StackError(f"Airflow made no DAG {dag_id} within {_PARSE_LIMIT} s: {problems}")
            for token in airflow.file_tokens("litegate"):
                airflow.parse_again(token)
            ring(parse_bell_in(home))
            last = _parsed_anew(airflow, dag_id, last)


def _knows(airflow: AirflowApi, dag_id: str, parsed: str | None, digest: str) -> bool:
    return parsed is not None and digest in airflow.documentation(dag_id)


def _parsed_anew(airflow: AirflowApi, dag_id: str, last: str | None) -> str | None:
    """When the DAG was parsed last, as soon as that has changed, or after a while."""
    pace = Pace(_PAUSE)
    for _ in range(_LOOKS):
        pace.wait()
        with pace.asking():
            parsed = _parsed(airflow.dag(dag_id))
        if parsed != last:
            return parsed
    return last


def new_run(dag_id: str) -> RunId:
    """An id that nobody has used: when, and four random digits."""
    return RunId(dag_id, f"litegate-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}")


def _parsed(dag: dict[str, Any] | None) -> str | None:
    return None if dag is None or dag["is_stale"] else dag["last_parsed_time"]
