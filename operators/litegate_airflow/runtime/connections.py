"""Airflow connections in place of environment variables: resolved in the task, handed to its step, and kept nowhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from litegate.errors import StackError
from litegate.settings import SIGNING_KEY
from litegate.storage.access import Access, Role, access, reached_by
from litegate.surroundings import replacing

if TYPE_CHECKING:
    from airflow.sdk import Connection

__all__ = ["aws_access", "connected", "connected_as", "mlflow_variables", "signing_variables"]

Variables = dict[str, str | None]
_NOT_IN_A_SESSION_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)


@contextmanager
def connected(
    aws_conn_id: str | None, mlflow_conn_id: str | None, signing_conn_id: str | None = None
) -> Iterator[None]:
    """What connections say is in the place of what S3 and MLflow are reached by otherwise, and versions signed.

    Raises:
        StackError: a connection says too little.
    """
    values: Variables = {}
    if mlflow_conn_id:
        values |= mlflow_variables(BaseHook.get_connection(mlflow_conn_id))
    if signing_conn_id:
        values |= signing_variables(BaseHook.get_connection(signing_conn_id))
    given = aws_access(BaseHook.get_connection(aws_conn_id)) if aws_conn_id else access()
    with replacing(values), reached_by(given):
        yield


def connected_as(operator: object) -> AbstractContextManager[None]:
    """The same by the connection to MLflow that an operator has, before or after it runs."""
    return connected(None, getattr(operator, "mlflow_conn_id", None))


def aws_access(connection: Connection) -> Access:
    """That of a connection of type `aws`, by the names that Amazon's provider for Airflow has for it.

    Without keys or a profile, boto3 looks for credentials as it does without a connection, also for those by which a
    role is assumed.

    Raises:
        StackError: it has half of a key, or says what only Amazon's provider can do.
    """
    extra, said_by = connection.extra_dejson, _named(connection)
    key = connection.login or extra.get("aws_access_key_id")
    secret = connection.password or extra.get("aws_secret_access_key")
    if bool(key) != bool(secret):
        raise StackError(f"{said_by}: expected login and password (access key and secret key), got one of them")
    return Access(
        said_by=said_by,
        key=key or None,
        secret=secret or None,
        token=extra.get("aws_session_token"),
        profile=extra.get("profile_name") or (extra.get("session_kwargs") or {}).get("profile_name"),
        region=extra.get("region_name"),
        endpoint=_endpoint(extra, "s3") or extra.get("endpoint_url"),
        ca_bundle=_ca_bundle(connection),
        role=_role(connection),
    )


def mlflow_variables(connection: Connection) -> Variables:
    """Those of a connection of type `http`: its address, login and password or the extra `token`, certificates.

    Raises:
        StackError: it has no host, half of a log-in, or says that certificates are not to be verified.
    """
    if not connection.host:
        raise StackError(f"{_named(connection)}: expected the host of MLflow, got none")
    if bool(connection.login) != bool(connection.password):
        raise StackError(f"{_named(connection)}: expected login and password, got one of them")
    extra = connection.extra_dejson
    certificates = {
        "MLFLOW_TRACKING_SERVER_CERT_PATH": _ca_bundle(connection),
        "MLFLOW_TRACKING_CLIENT_CERT_PATH": extra.get("cert"),
    }
    return {
        "MLFLOW_TRACKING_URI": _address(connection),
        "MLFLOW_TRACKING_USERNAME": connection.login or None,
        "MLFLOW_TRACKING_PASSWORD": connection.password or None,
        "MLFLOW_TRACKING_TOKEN": extra.get("token"),
    } | {name: path for name, path in certificates.items() if path}


def signing_variables(connection: Connection) -> Variables:
    """That of a connection of any type whose password is a private key in PEM form.

    Raises:
        StackError: it has no password.
    """
    if not connection.password:
        raise StackError(f"{_named(connection)}: expected a private key as its password, got none")
    return {SIGNING_KEY: connection.password}


def _address(connection: Any) -> str:
    """As Airflow's own HTTP hook puts it together."""
    host = connection.host
    base = host if "://" in host else f"{connection.schema or 'http'}://{host}"
    return f"{base}:{connection.port}" if connection.port else base


def _named(connection: Connection) -> str:
    return f"the Airflow connection {connection.conn_id}"


def _endpoint(extra: Mapping[str, Any], service: str) -> str | None:
    found: str | None = (extra.get("service_config") or {}).get(service, {}).get("endpoint_url")
    return found


def _ca_bundle(connection: Connection) -> str | None:
    """The file in `verify`, by which both requests and boto3 know it."""
    given = connection.extra_dejson.get("verify")
    if given is None or given is True:
        return None
    if not isinstance(given, str) or not Path(given).is_file():
        expected = "the path of a file with certificates on this worker"
        raise StackError(f"{_named(connection)}: its extra verify: expected {expected}, got {given!r}")
    return given


def _role(connection: Connection) -> Role | None:
    """The role to assume; of several ways to do it, the one that needs nothing but keys."""
    extra = connection.extra_dejson
    arn, method = extra.get("role_arn"), extra.get("assume_role_method") or "assume_role"
    if not arn:
        return None
    if method != "assume_role":
        raise StackError(
            f"{_named(connection)}: its extra assume_role_method: expected assume_role, got {method}; with a web "
            "identity leave the role out, and set AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE for the worker"
        )
    session = _NOT_IN_A_SESSION_NAME.sub("_", f"litegate-{connection.conn_id}")[:64]  # as STS has them
    arguments = {"RoleSessionName": session, **(extra.get("assume_role_kwargs") or {})}
    if extra.get("external_id"):
        arguments["ExternalId"] = extra["external_id"]
    return Role(arn, json.dumps(arguments, sort_keys=True), _endpoint(extra, "sts"))
