"""Airflow connections in place of environment variables: resolved in the task, handed to its step, and kept nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from litegate.errors import StackError
from litegate.settings import SIGNING_KEY
from litegate.surroundings import replacing

if TYPE_CHECKING:
    from airflow.sdk import Connection

__all__ = ["aws_variables", "connected", "connected_as", "mlflow_variables", "signing_variables"]

Variables = dict[str, str | None]


@contextmanager
def connected(
    aws_conn_id: str | None, mlflow_conn_id: str | None, signing_conn_id: str | None = None
) -> Iterator[None]:
    """What connections say is in the place of the variables that S3 and MLflow are reached by, and versions signed.

    Raises:
        StackError: a connection says too little.
    """
    values: Variables = {}
    if aws_conn_id:
        values |= aws_variables(BaseHook.get_connection(aws_conn_id))
    if mlflow_conn_id:
        values |= mlflow_variables(BaseHook.get_connection(mlflow_conn_id))
    if signing_conn_id:
        values |= signing_variables(BaseHook.get_connection(signing_conn_id))
    with replacing(values):
        yield


def connected_as(operator: object) -> AbstractContextManager[None]:
    """The same by the connection to MLflow that an operator has, before or after it runs."""
    return connected(None, getattr(operator, "mlflow_conn_id", None))


def aws_variables(connection: Connection) -> Variables:
    """Those of a connection of type `aws`, as Amazon's provider for Airflow has them, with a key of its own.

    Without login and password, boto3 looks for credentials as it does without a connection.

    Raises:
        StackError: it has one without the other, or a role to assume, which needs Amazon's provider.
    """
    extra = connection.extra_dejson
    where = f"the Airflow connection {connection.conn_id}"
    if extra.get("role_arn") or extra.get("profile_name"):
        raise StackError(f"{where}: expected an access key, got a role or a profile: give the worker that one instead")
    if bool(connection.login) != bool(connection.password):
        raise StackError(f"{where}: expected login and password (access key and secret key), got one of them")
    values: Variables = {}
    if connection.login:
        values |= {"AWS_ACCESS_KEY_ID": connection.login, "AWS_SECRET_ACCESS_KEY": connection.password}
        values |= {"AWS_SESSION_TOKEN": extra.get("aws_session_token"), "AWS_PROFILE": None}
    endpoint = (extra.get("service_config") or {}).get("s3", {}).get("endpoint_url") or extra.get("endpoint_url")
    if endpoint:
        values["AWS_ENDPOINT_URL_S3"] = endpoint
    if extra.get("region_name"):
        values["AWS_DEFAULT_REGION"] = extra["region_name"]
    return values


def mlflow_variables(connection: Connection) -> Variables:
    """Those of a connection of type `http`: its address, and login and password or the extra `token`.

    Raises:
        StackError: it has no host.
    """
    if not connection.host:
        raise StackError(f"the Airflow connection {connection.conn_id}: expected the host of MLflow, got none")
    return {
        "MLFLOW_TRACKING_URI": _address(connection),
        "MLFLOW_TRACKING_USERNAME": connection.login or None,
        "MLFLOW_TRACKING_PASSWORD": connection.password or None,
        "MLFLOW_TRACKING_TOKEN": connection.extra_dejson.get("token"),
    }


def signing_variables(connection: Connection) -> Variables:
    """That of a connection of any type whose password is a private key in PEM form.

    Raises:
        StackError: it has no password.
    """
    if not connection.password:
        raise StackError(
            f"the Airflow connection {connection.conn_id}: expected a private key as its password, got none"
        )
    return {SIGNING_KEY: connection.password}


def _address(connection: Any) -> str:
    """As Airflow's own HTTP hook puts it together."""
    host = connection.host
    base = host if "://" in host else f"{connection.schema or 'http'}://{host}"
    return f"{base}:{connection.port}" if connection.port else base
