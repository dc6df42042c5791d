"""Servers that ask who is there, on loopback and behind TLS: S3 with roles of STS, and MLflow with log-ins.

    python -m tests.guarded PORT CERTIFICATE SESSIONS

serves moto with its checks of signatures, session tokens and policies. They are for a whole process, so this one is
a process of its own.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.servers import free_port, wait_until_healthy, wait_until_listening

__all__ = [
    "BUCKET",
    "Certificates",
    "GuardedMlflow",
    "GuardedS3",
    "bearer_or_basic",
    "guarded_mlflow",
    "guarded_s3",
    "new_certificates",
]

BUCKET = "guarded"
_REGION = "us-east-1"
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Certificates:
    """Of an authority that no program knows: its own, as `verify` names it, and that of 127.0.0.1 with its key."""

    authority: Path
    server: Path


def new_certificates(folder: Path) -> Certificates:
    """Made anew, in PEM form."""
    import trustme

    authority = trustme.CA()
    made = Certificates(folder / "authority.pem", folder / "server.pem")
    authority.cert_pem.write_to_path(str(made.authority))
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(str(made.server))
    return made


@dataclass(frozen=True)
class GuardedS3:
    """A server with a bucket, a user who may assume roles and nothing else, and a role that may use the bucket.

    Attributes:
        url: of S3, IAM and STS.
        key, secret: the user's.
        role: what may be assumed with the id `external_id`, and may do anything to the bucket.
        worker: a role with the policy of docs/hardening.md.
        other_role: what may not be assumed.
        reader: a role that may read the bucket, and not write to it.
        brief: a role like the first, whose sessions end after two seconds.
        sessions: file with the secret key and the token of each session that STS has given out, a line each.
    """

    url: str
    authority: Path
    key: str
    secret: str = field(repr=False)
    sessions: Path
    external_id: str = "0815"
    role: str = "arn:aws:iam::123456789012:role/litegate"
    worker: str = "arn:aws:iam::123456789012:role/worker"
    other_role: str = "arn:aws:iam::123456789012:role/others"
    reader: str = "arn:aws:iam::123456789012:role/reader"
    brief: str = "arn:aws:iam::123456789012:role/brief"

    def connection(self, role: str | None = None, **extra: Any) -> dict[str, Any]:
        """An Airflow connection to it."""
        places = {"endpoint_url": self.url, "region_name": _REGION, "verify": str(self.authority)}
        assuming = {
            "role_arn": role or self.role,
            "external_id": self.external_id,
            "service_config": {"sts": {"endpoint_url": self.url}},
        }
        return {
            "conn_type": "aws",
            "login": self.key,
            "password": self.secret,
            "extra": places | assuming | extra,
        }


@contextmanager
def guarded_s3(root: Path, certificates: Certificates) -> Iterator[GuardedS3]:
    """The server, once its users, roles and bucket are made and it asks everybody."""
    port = free_port()
    sessions = root / "sessions"
    command = [sys.executable, "-m", "tests.guarded", str(port), str(certificates.server), str(sessions)]
    with (root / "s3.log").open("w") as log:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_until_listening(port, process, root / "s3.log")
        yield _furnished(f"https://127.0.0.1:{port}", certificates.authority, sessions)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@dataclass(frozen=True)
class GuardedMlflow:
    """A server that knows three users: an administrator, `litegate` and `reader`, and a token for `robot`.

    Attributes:
        passwords: by user.
        folder: of its database, its artifacts, its users and its log.
    """

    url: str
    authority: Path
    folder: Path
    passwords: Mapping[str, str] = field(repr=False)
    token: str = field(repr=False)

    def connection(self, user: str | None = "litegate", **extra: Any) -> dict[str, Any]:
        """An Airflow connection to it, as a user; as nobody if None."""
        scheme, _, place = self.url.partition("://")
        host, _, port = place.partition(":")
        found = {"conn_type": "http", "schema": scheme, "host": host, "port": int(port)}
        login = {"login": user, "password": self.passwords[user]} if user else {}
        return found | login | {"extra": {"verify": str(self.authority)} | extra}

    def variables(self, user: str) -> dict[str, str]:
        """What a shell exports to reach it as a user."""
        return {
            "MLFLOW_TRACKING_URI": self.url,
            "MLFLOW_TRACKING_USERNAME": user,
            "MLFLOW_TRACKING_PASSWORD": self.passwords[user],
            "MLFLOW_TRACKING_SERVER_CERT_PATH": str(self.authority),
        }


@contextmanager
def guarded_mlflow(root: Path, certificates: Certificates) -> Iterator[GuardedMlflow]:
    """MLflow's own log-in behind TLS, where everybody may read what others have made, and nothing else."""
    port, secret = free_port(), secrets.token_urlsafe
    from litegate.stack.databases import write_ahead

    made = GuardedMlflow(
        f"https://127.0.0.1:{port}",
        certificates.authority,
        root,
        {user: secret() for user in ("admin", "litegate", "reader", "robot")},
        secret(),
    )
    (root / "auth.ini").write_text(
        "[mlflow]\ndefault_permission = READ\nadmin_username = admin\n"
        f"database_uri = sqlite:///{root}/users.db\nauthorization_function = tests.guarded:bearer_or_basic\n"
        "auth_cache_ttl_seconds = 60\n"  # else each of a thousand requests costs the hash of a password
    )
    for name in ("users", "mlflow"):
        write_ahead(root / f"{name}.db")
    options = {
        "--app-name": "basic-auth",
        "--host": "127.0.0.1",
        "--port": str(port),
        "--workers": "1",
        "--backend-store-uri": f"sqlite:///{root}/mlflow.db",
        "--artifacts-destination": str(root / "artifacts"),
        "--uvicorn-opts": f"--ssl-certfile {certificates.server} --ssl-keyfile {certificates.server}",
    }
    variables = os.environ | {
        "GUARDED_TOKEN": made.token,
        "MLFLOW_AUTH_ADMIN_PASSWORD": made.passwords["admin"],
        "MLFLOW_AUTH_CONFIG_PATH": str(root / "auth.ini"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secret(),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PYTHONPATH": str(_ROOT),
    }
    command = [sys.executable, "-m", "mlflow", "server", *(part for option in options.items() for part in option)]
    with (root / "log").open("w") as log:
        process = subprocess.Popen(command, env=variables, cwd=root, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_until_healthy(made.url, process, root / "log", ssl.create_default_context(cafile=certificates.authority))
        _add_users(made)
        yield made
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _add_users(server: GuardedMlflow) -> None:
    import requests

    for user in server.passwords.keys() - {"admin"}:
        requests.post(
            f"{server.url}/api/2.0/mlflow/users/create",
            json={"username": user, "password": server.passwords[user]},
            auth=("admin", server.passwords["admin"]),
            verify=str(server.authority),
            timeout=30,
        ).raise_for_status()


def bearer_or_basic() -> Any:
    """MLflow calls this for each request: a token, as a proxy with single sign-on asks for, or a password."""
    from flask import request
    from mlflow.server.auth import authenticate_request_basic_auth, make_basic_auth_response
    from werkzeug.datastructures import Authorization

    given = request.authorization
    if given is None or given.type == "basic":
        return authenticate_request_basic_auth()
    known = given.type == "bearer" and hmac.compare_digest(given.token or "", os.environ["GUARDED_TOKEN"])
    return Authorization("basic", {"username": "robot"}) if known else make_basic_auth_response()


def _furnished(url: str, authority: Path, sessions: Path) -> GuardedS3:
    """Users and roles are made while it does not ask yet."""
    import boto3
    import requests

    first: dict[str, Any] = {"endpoint_url": url, "verify": str(authority), "region_name": _REGION}
    first |= {"aws_access_key_id": "first", "aws_secret_access_key": "first"}
    iam, s3 = boto3.client("iam", **first), boto3.client("s3", **first)
    s3.create_bucket(Bucket=BUCKET)
    iam.create_user(UserName="worker")
    keys = iam.create_access_key(UserName="worker")["AccessKey"]
    made = GuardedS3(url, authority, keys["AccessKeyId"], keys["SecretAccessKey"], sessions)
    own = [made.role, made.worker, made.reader, made.brief]
    iam.put_user_policy(UserName="worker", PolicyName="assume", PolicyDocument=_policy("sts:AssumeRole", own))
    bucket = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    policies = {made.role: _policy(["s3:*"], bucket), made.brief: _policy(["s3:*"], bucket)}
    policies |= {made.reader: _policy(["s3:Get*", "s3:List*", "s3:Head*"], bucket), made.worker: _policy_of_the_page()}
    for role, policy in policies.items():
        trusting = _policy("sts:AssumeRole", None, {"StringEquals": {"sts:ExternalId": made.external_id}})
        name = role.rpartition("/")[2]
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting)
        iam.put_role_policy(RoleName=name, PolicyName="bucket", PolicyDocument=policy)
    for client in (iam, s3):
        client.close()
    requests.post(f"{url}/moto-api/reset-auth", data=b"0", verify=str(authority), timeout=10).raise_for_status()
    return made


def _policy_of_the_page() -> str:
    """What docs/hardening.md says that a worker may do, to our bucket."""
    found = re.search(r"```json\n(.*?)```", (_ROOT / "docs" / "hardening.md").read_text(), re.S)
    assert found is not None
    return found[1].replace("BUCKET", BUCKET)


def _policy(action: Any, resource: Any, condition: Any = None) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action}
    statement |= {"Resource": resource} if resource else {"Principal": {"AWS": "*"}}
    statement |= {"Condition": condition} if condition else {}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class _Expiring:
    """moto knows when a session ends, and lets it go on all the same; Amazon's servers answer like this.

    The shortest session is one of 15 minutes, for which no test waits: hence the role with brief ones.
    """

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        from moto.sts.models import sts_backends
        from werkzeug.wsgi import get_input_stream

        token = environ.get("HTTP_X_AMZ_SECURITY_TOKEN")
        for role in sts_backends["123456789012"]["aws"].assumed_roles if token else ():
            if role.session_token == token and role.expiration.replace(tzinfo=UTC) < datetime.now(UTC):
                get_input_stream(environ).read()  # else the client sees its connection end
                body = b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code></Error>"
                start_response("400 Bad Request", [("Content-Length", str(len(body)))])
                return [body]
        return self._application(environ, start_response)


def _serve(port: int, certificate: str, sessions: Path) -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from moto.sts.models import AssumedRole
    from werkzeug.serving import make_server

    from litegate.stack.s3.conditional import Conditional

    made = AssumedRole.__init__

    def noted(self: Any, *arguments: Any, **keywords: Any) -> None:
        made(self, *arguments, **keywords)
        with sessions.open("a") as file:
            file.write(f"{self.secret_access_key}\n{self.session_token}\n")
        if self.role_arn.endswith("/brief"):
            self.expiration = datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=2)

    AssumedRole.__init__ = noted
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    application = _Expiring(Conditional(DomainDispatcherApplication(create_backend_app)))
    make_server(
        "127.0.0.1", port, application, threaded=True, request_handler=MotoRequestHandler, ssl_context=context
    ).serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
