"""How S3 is reached where a caller says so: by keys or a profile, in a role to assume, at an address of its own.

Without it boto3 looks for all of this by itself: `AWS_` variables, `~/.aws`, the role of the machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from litegate.storage.protocol import Refused

if TYPE_CHECKING:
    import boto3

__all__ = ["Access", "Role", "access", "access_variables", "keys_end_before", "reached_by", "session_for"]

_HOUR = 3600
_ADVISORY, _MANDATORY = 15 * 60, 10 * 60
_SERVER_ERRORS = 500


@dataclass(frozen=True)
class Role:
    """A role of STS.

    Attributes:
        arn: its name.
        arguments: further ones of STS's `AssumeRole`, as JSON: `ExternalId`, `DurationSeconds`, `RoleSessionName`, ...
        endpoint: address of STS; None for boto3's own, or `AWS_ENDPOINT_URL_STS`.
    """

    arn: str
    arguments: str = "{}"
    endpoint: str | None = None

    @property
    def seconds(self) -> int:
        """How long the keys of one session hold."""
        return int(json.loads(self.arguments).get("DurationSeconds", _HOUR))


@dataclass(frozen=True)
class Access:
    """What is None, boto3 looks for by itself.

    Attributes:
        said_by: who says so, as messages name it.
        key, secret, token: an access key, its secret key, and the token of a session.
        profile: one of `~/.aws/config`, in place of keys.
        region, endpoint: of S3.
        ca_bundle: file of the certificates that S3 and STS are verified by.
        role: to be assumed with these keys.
    """

    said_by: str
    key: str | None = None
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    profile: str | None = None
    region: str | None = None
    endpoint: str | None = None
    ca_bundle: str | None = None
    role: Role | None = None


_ACCESS: ContextVar[Access | None] = ContextVar("access", default=None)


def access() -> Access | None:
    """What the caller has said; None if nothing."""
    return _ACCESS.get()


@contextmanager
def reached_by(given: Access | None) -> Iterator[None]:
    """S3 is reached in this way; for this thread, and those that are given its context."""
    token = _ACCESS.set(given)
    try:
        yield
    finally:
        _ACCESS.reset(token)


@cache
def session_for(given: Access) -> boto3.Session:
    """A session of boto3; where a role is assumed, its keys are renewed before they end.

    Raises:
        Refused: there is no such profile, or STS does not let the role be assumed.
    """
    plain = _plain_session(given)
    return plain if given.role is None else _renewing(plain, given, given.role)


def access_variables() -> dict[str, str | None]:
    """The variables by which another process reaches S3 in the same way; None for one that there is not to be.

    Keys of a role are those of a new session: nobody renews them there.

    Raises:
        Refused: STS does not let the role be assumed.
    """
    given = access()
    if given is None:
        return {}
    places = {
        "AWS_DEFAULT_REGION": given.region,
        "AWS_ENDPOINT_URL_S3": given.endpoint,
        "AWS_CA_BUNDLE": given.ca_bundle,
    }
    return _key_variables(given) | {name: value for name, value in places.items() if value}


def keys_end_before(seconds: float) -> str:
    """What is to be said where a process may need its keys for longer than they hold; else empty."""
    given = access()
    if given is None or given.role is None or given.role.seconds >= seconds:
        return ""
    return (
        f"{given.said_by}: the keys of {given.role.arn} hold for {given.role.seconds} s, and this may take "
        f"{seconds:.0f} s; a longer DurationSeconds in its assume_role_kwargs makes them last"
    )


def _key_variables(given: Access) -> dict[str, str | None]:
    """Whatever keys and profile a process has of its own, those of an access stand in their place."""
    found: tuple[str | None, ...]
    if given.role is not None:
        keys = _assumed(_plain_session(given), given, given.role)
        found = keys["access_key"], keys["secret_key"], keys["token"], None
    elif given.key or given.profile:
        found = given.key, given.secret, given.token, given.profile
    else:
        return {}
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
    return dict(zip(names, found, strict=True))


def _plain_session(given: Access) -> boto3.Session:
    """With what is given beside the role.

    Raises:
        Refused: there is no such profile.
    """
    import boto3
    from botocore.exceptions import ProfileNotFound

    try:
        return boto3.Session(
            aws_access_key_id=given.key,
            aws_secret_access_key=given.secret,
            aws_session_token=given.token,
            region_name=given.region,
            profile_name=given.profile,
        )
    except ProfileNotFound as error:
        raise Refused(f"{given.said_by}: {error}") from error


def _renewing(plain: boto3.Session, given: Access, role: Role) -> boto3.Session:
    """One that assumes the role, and assumes it again in time."""
    import boto3
    import botocore.session
    from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials

    class Assuming(CredentialProvider):
        METHOD = "assume-role"

        def load(self) -> RefreshableCredentials:
            assume = partial(_assumed, plain, given, role)
            keys = assume()
            left = (datetime.fromisoformat(keys["expiry_time"]) - datetime.now(UTC)).total_seconds()
            margins = {  # botocore's own are as long as the shortest session
                "advisory_timeout": min(_ADVISORY, int(left / 4)),
                "mandatory_timeout": min(_MANDATORY, int(left / 6)),
            }
            return RefreshableCredentials.create_from_metadata(keys, assume, self.METHOD, **margins)

    session = botocore.session.get_session()
    session.register_component("credential_provider", CredentialResolver([Assuming()]))
    return boto3.Session(botocore_session=session, region_name=plain.region_name)


def _assumed(session: boto3.Session, given: Access, role: Role) -> dict[str, str]:
    """Keys of a new session in a role, as botocore has them."""
    from botocore.config import Config
    from botocore.exceptions import ClientError, NoCredentialsError, ParamValidationError

    config = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=60)
    places: Mapping[str, Any] = {"endpoint_url": role.endpoint, "verify": given.ca_bundle, "config": config}
    try:
        sts: Any = session.client("sts", **places)
        keys = sts.assume_role(RoleArn=role.arn, **json.loads(role.arguments))["Credentials"]
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= _SERVER_ERRORS:
            raise
        raise Refused(f"{given.said_by}: STS refuses {role.arn}: {_said(error.response, status)}") from None
    except (NoCredentialsError, ParamValidationError) as error:
        raise Refused(f"{given.said_by}: {role.arn} cannot be assumed: {' '.join(str(error).split())}") from None
    return {
        "access_key": keys["AccessKeyId"],
        "secret_key": keys["SecretAccessKey"],
        "token": keys["SessionToken"],
        "expiry_time": keys["Expiration"].isoformat(),
    }


def _said(response: Mapping[str, Any], status: int) -> str:
    """Of an answer of STS the code and the first line of the message: then come headers of the request, with its token.

    botocore does not find them in the answers of Ceph, which are those of S3.
    """
    said = response.get("Error") or response
    code, message = said.get("Code") or f"HTTP {status}", said.get("Message") or ""
    return ": ".join(filter(None, (code, message.partition("\n")[0])))
