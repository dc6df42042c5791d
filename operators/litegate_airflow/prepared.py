"""What every fork of Airflow's scheduler and of its DAG processor would load or work out for itself, done once."""

from __future__ import annotations

import encodings.idna  # noqa: F401 (Python imports it when it looks up the address of a host)
import json
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any

# Some of these Airflow imports only when it runs a task.
import jinja2.ext  # noqa: F401
import jsonschema
from airflow.dag_processing.bundles import local  # noqa: F401
from airflow.sdk.definitions import connection  # noqa: F401
from airflow.sdk.definitions.asset import metadata  # noqa: F401
from airflow.sdk.execution_time import comms
from airflow.sdk.listener import get_listener_manager
from pydantic import TypeAdapter

import litegate_airflow.dags  # noqa: F401
from litegate.spec import parse_spec
from litegate_airflow.ui.form import form

with suppress(ImportError):  # these are its own affair
    import airflow.sdk._shared.logging.factory
    import airflow.sdk._shared.logging.remote  # noqa: F401

__all__ = ["check_schemas_once", "keep_decoder", "prepare"]

_SPEC = {
    "model": {"name": "any", "uri": "model.keras"},
    "calibration": {"uri": "data.npz", "format": "npz"},
    "evaluation": {"uri": "data.npz", "format": "npz"},
}


def prepare() -> None:
    """Do it: plugins, the decoder of what tasks are answered, the checks of the forms that all DAGs of specs have.

    Modules come with this one.
    """
    get_listener_manager()
    keep_decoder()
    check_schemas_once((jsonschema.Draft4Validator, jsonschema.Draft202012Validator))
    for field in form(parse_spec(_SPEC)).values():
        field.resolve()


def keep_decoder() -> None:
    """Let each task decode what it is answered by one decoder, which it would make twice when it begins."""
    decoder = TypeAdapter[Any](comms.ToTask)
    make = TypeAdapter
    setattr(comms, "TypeAdapter", lambda of: decoder if of is comms.ToTask else make(of))  # noqa: B010


def check_schemas_once(validators: Iterable[Any]) -> None:
    """Let jsonschema check a schema once, which it does each time that a value is validated by it.

    Airflow validates all parameters of a run when it reads the DAG and when it begins a task; to check their schemas
    takes 20 times as long as to validate the values.
    """
    for validator in validators:
        validator.check_schema = staticmethod(_once(validator.check_schema))


def _once(check: Any) -> Any:
    @cache
    def checked(text: str) -> None:
        check(json.loads(text))

    def check_schema(schema: Any, *arguments: Any, **options: Any) -> None:
        text = "" if arguments or options else _as_json(schema)
        checked(text) if text else check(schema, *arguments, **options)

    return check_schema


def _as_json(schema: Any) -> str:
    """Empty where it is none, as in a DAG file of somebody else."""
    with suppress(TypeError, ValueError):
        return json.dumps(schema, sort_keys=True)
    return ""
