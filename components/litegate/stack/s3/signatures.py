"""Who may use the server: requests are signed with one of its keys (AWS Signature Version 4).

"Signature Version 4 for API requests", AWS Identity and Access Management User Guide; for S3 the path is signed as it
is sent. The signature covers method, address, the signed headers and the digest that the client states of its body.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

__all__ = ["Signed"]

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_ALGORITHM, _UNSIGNED = "AWS4-HMAC-SHA256", "UNSIGNED-PAYLOAD"
_SKEW = timedelta(minutes=15)
_LONGEST = timedelta(days=7)


class Signed:
    """A WSGI application that passes on what is signed, and refuses all else with 403.

    Args:
        keys: secret keys by access key.
    """

    def __init__(self, application: Application, keys: Mapping[str, str]) -> None:
        self._application, self._keys = application, keys

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Check the signature first."""
        try:
            code = self._problem(environ)
        except (KeyError, ValueError):
            code = "AuthorizationHeaderMalformed"
        if code is None:
            return self._application(environ, start_response)
        body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code></Error>'.encode()
        start_response("403 Forbidden", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    def _problem(self, environ: Environ) -> str | None:
        """S3's code of what is wrong; None if nothing is."""
        claim = _Claim.of(environ)
        if claim is None:
            return "AccessDenied"
        secret = self._keys.get(claim.access_key)
        if secret is None:
            return "InvalidAccessKeyId"
        if not claim.is_current(datetime.now(UTC)):
            return "RequestTimeTooSkewed"
        expected = claim.signature_by(secret, environ)
        return None if hmac.compare_digest(expected, claim.signature) else "SignatureDoesNotMatch"


@dataclass(frozen=True)
class _Claim:
    """What a request says of its signature, in its header or in its address.

    Attributes:
        scope: day, region, service and `aws4_request`.
        valid: for how long after `time`.
    """

    access_key: str
    scope: tuple[str, ...]
    headers: tuple[str, ...]
    signature: str
    time: str
    payload: str
    valid: timedelta

    @classmethod
    def of(cls, environ: Environ) -> _Claim | None:
        """None where the request is not signed at all.

        Raises:
            KeyError, ValueError: it is signed in another way, or a part is missing.
        """
        header = environ.get("HTTP_AUTHORIZATION", "")
        if header:
            algorithm, _, rest = header.partition(" ")
            parts = dict(part.strip().split("=", 1) for part in rest.split(","))
            if algorithm != _ALGORITHM:
                raise ValueError(algorithm)
            stated = environ["HTTP_X_AMZ_DATE"], environ["HTTP_X_AMZ_CONTENT_SHA256"]
            return cls._made(parts, *stated, _SKEW)
        asked = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        if asked.get("X-Amz-Algorithm") != _ALGORITHM:
            return None
        parts = {name: asked[f"X-Amz-{name}"] for name in ("Credential", "SignedHeaders", "Signature")}
        valid = min(timedelta(seconds=int(asked["X-Amz-Expires"])), _LONGEST)
        return cls._made(parts, asked["X-Amz-Date"], _UNSIGNED, valid)

    @classmethod
    def _made(cls, parts: Mapping[str, str], time: str, payload: str, valid: timedelta) -> _Claim:
        access_key, *scope = parts["Credential"].split("/")
        headers = tuple(parts["SignedHeaders"].split(";"))
        if "host" not in headers or scope != [time[:8], *scope[1:2], "s3", "aws4_request"]:
            raise ValueError(parts["Credential"])
        return cls(access_key, tuple(scope), headers, parts["Signature"], time, payload, valid)

    def is_current(self, now: datetime) -> bool:
        """Whether it was signed a short while ago, or may still be used."""
        signed = datetime.strptime(self.time, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return signed - _SKEW <= now <= signed + self.valid

    def signature_by(self, secret: str, environ: Environ) -> str:
        """The signature that this very request has with a secret key."""
        key = f"AWS4{secret}".encode()
        for part in self.scope:
            key = hmac.digest(key, part.encode(), "sha256")
        request = hashlib.sha256(self._request(environ).encode()).hexdigest()
        text = "\n".join((_ALGORITHM, self.time, "/".join(self.scope), request))
        return hmac.new(key, text.encode(), "sha256").hexdigest()

    def _request(self, environ: Environ) -> str:
        path, _, query = environ["RAW_URI"].partition("?")
        values = parse_qsl(query, keep_blank_values=True)
        pairs = sorted((_quoted(name), _quoted(value)) for name, value in values if name != "X-Amz-Signature")
        headers = (f"{name}:{_header(environ, name)}\n" for name in self.headers)
        return "\n".join(
            (
                environ["REQUEST_METHOD"],
                path,
                "&".join(f"{name}={value}" for name, value in pairs),
                "".join(headers),
                ";".join(self.headers),
                self.payload,
            )
        )


def _header(environ: Environ, name: str) -> str:
    plain = name.upper().replace("-", "_")
    value = environ.get(plain) if plain in ("CONTENT_TYPE", "CONTENT_LENGTH") else environ.get(f"HTTP_{plain}")
    return " ".join(str(value or "").split())


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
