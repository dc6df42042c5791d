"""A request that changed something is answered when the change is on disk, not before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, unquote

from litegate.stack.s3.kept import Kept

__all__ = ["Durable"]

Environ = dict[str, Any]
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Durable:
    """A WSGI application around moto's.

    Args:
        application: moto's.
        kept: where buckets and objects are kept.
    """

    def __init__(self, application: Application, kept: Kept) -> None:
        self._application, self._kept = application, kept

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Let moto carry the request out, keep what it changed, and then answer."""
        bucket, key = _named(environ)
        if (bucket and not _BUCKET.fullmatch(bucket)) or not _HOST.fullmatch(environ.get("HTTP_HOST", "")):
            return _refused(start_response)
        if environ["REQUEST_METHOD"] not in ("PUT", "POST", "DELETE"):
            return self._application(environ, start_response)
        answer: list[Any] = []
        result = self._application(environ, lambda *arguments: answer.extend(arguments))
        try:
            body = list(result)
        finally:
            getattr(result, "close", lambda: None)()
        if str(answer[0]).startswith("2") and bucket:
            self._keep(environ["REQUEST_METHOD"], environ.get("QUERY_STRING", ""), bucket, key)
        start_response(*answer)
        return body

    def _keep(self, method: str, query: str, bucket: str, key: str) -> None:
        asked = parse_qs(query, keep_blank_values=True)
        if not key and method == "POST":  # many objects are deleted, or one comes from a form
            self._kept.keep_objects(bucket)
        elif not key:
            self._kept.keep_bucket(bucket)
        elif "uploads" in asked or "partNumber" in asked:  # parts are no object before they are put together
            return
        elif not self._kept.keep_object(bucket, key) and method != "DELETE":
            self._kept.keep_objects(bucket)  # moto has read another key from this address


def _named(environ: Environ) -> tuple[str, str]:
    """Bucket and key of the request's address."""
    path = unquote(environ["RAW_URI"].partition("?")[0])
    bucket, _, key = path.lstrip("/").partition("/")
    return bucket, key


def _refused(start_response: Callable[..., Any]) -> list[bytes]:
    """What is kept needs a bucket's name that is a folder's too, and an address that says it."""
    body = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>InvalidBucketName</Code></Error>'
    start_response("400 Bad Request", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]
