"""Objects below a prefix of an S3 bucket. An object's version is its ETag.

S3 is reached through boto3's own configuration (`AWS_ENDPOINT_URL`, credentials, region), or as
`litegate.storage.access` says, so any S3-compatible server works that knows conditional writes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from litegate.errors import StoreError
from litegate.settings import s3_timeout
from litegate.storage import transfers
from litegate.storage.access import Access, access, session_for
from litegate.storage.connections import Range
from litegate.storage.multipart import LARGE, upload_new
from litegate.storage.protocol import AT_ONCE, PAGE, Coming, Content, Refused, Stored
from litegate.storage.ranges import AskedFirst, ask_range, quick_range
from litegate.storage.use import is_due
from litegate.surroundings import carried

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

__all__ = ["S3Storage", "client_for", "s3_client", "split_s3"]

_ABSENT = ("404", "NoSuchKey", "NotFound")
_PASSING = (408, 409, 429)
_LARGEST_COPY = 5 << 30
_WAITS = (0.2, 0.4, 0.8, 1.6)


def split_s3(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of an S3 address."""
    parts = urlsplit(uri, allow_fragments=False)
    return parts.netloc, uri.removeprefix(f"s3://{parts.netloc}").lstrip("/")


_making_client = threading.Lock()


def s3_client() -> S3Client:
    """The S3 client: standard retries, bounded waits. Any thread may be the first that asks for it.

    There is one for the process, and one for each access that stands in the place of the process's own.

    Raises:
        Refused: the access names a role that may not be assumed, or a profile that is not there.
    """
    return client_for(access())


@cache
def client_for(given: Access | None) -> S3Client:
    """The client for an access; None for what boto3 finds by itself."""
    import boto3
    from botocore.config import Config

    silence = s3_timeout()
    config = Config(
        retries={"mode": "standard", "max_attempts": 5},
        connect_timeout=min(5, silence),
        read_timeout=silence,
        max_pool_connections=AT_ONCE,
    )
    with _making_client:
        if given is None:
            return boto3.client("s3", config=config)
        return session_for(given).client("s3", config=config, endpoint_url=given.endpoint, verify=given.ca_bundle)


class S3Storage:
    """The objects below a prefix, or an object; see `Storage`.

    Args:
        root: `s3://bucket/prefix`; with `/` at its end it is a folder, and no object.
    """

    kind = "s3"

    def __init__(self, root: str) -> None:
        self._bucket, self._root = split_s3(root)
        self._prefix = self._root if self._root.endswith("/") or not self._root else f"{self._root}/"

    def uri(self, name: str) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self._bucket}/{self._key(name)}"

    def path(self, name: str) -> None:
        """None of them lies on this host."""

    def find(self, name: str) -> Stored | None:
        """By a HEAD request, which cannot tell a bucket that is not there from an object that is not."""
        key = self._key(name)
        if not key or key.endswith("/"):
            return None
        try:
            with self._refusals(name):
                head = s3_client().head_object(Bucket=self._bucket, Key=key)
        except FileNotFoundError:
            return None
        return Stored(name, head["ContentLength"], head["LastModified"].timestamp(), head["ETag"])

    def pages(self, prefix: str = "", *, deep: bool = True) -> Iterator[Sequence[Stored]]:
        """A listing of S3 is a page; a key that ends with `/` stands for a folder, and is no object."""
        for page in self._listing(prefix, deep):
            yield [
                Stored(self._name(item["Key"]), item["Size"], item["LastModified"].timestamp(), item["ETag"])
                for item in page.get("Contents", ())
                if not item["Key"].endswith("/")
            ]

    def children(self) -> Sequence[str]:
        """What is before the next `/` of the keys."""
        found: list[str] = []
        for page in self._listing("", deep=False):
            found += [each["Prefix"] for each in page.get("CommonPrefixes", ())]
            found += [each["Key"] for each in page.get("Contents", ()) if not each["Key"].endswith("/")]
        return sorted(self._name(key).rstrip("/") for key in found)

    def read(self, name: str, version: str | None = None) -> Iterator[bytes]:
        """By one GET request, with `If-Match` where there must be a version, and one more where a transfer is cut."""
        matching: dict[str, Any] = {} if version is None else {"IfMatch": version}
        get = partial(s3_client().get_object, Bucket=self._bucket, Key=self._key(name), **matching)
        with self._refusals(name):
            yield from transfers.blocks(get, self.uri(name))

    def read_span(self, name: str, version: str, start: int, size: int) -> bytes:
        """By one GET request with `Range` and `If-Match`; an answer that is of another range or version is none."""
        with self._refusals(name):
            quick = quick_range(s3_client(), self._bucket, self._key(name), Range(version, start, start + size - 1))
            return self._slow_span(name, version, start, size) if quick is None else quick

    def ask_span(self, name: str, version: str, start: int, size: int, threads: Executor) -> Coming:
        """At once over a connection that is there; else in a thread, which connects or waits for boto3."""
        with self._refusals(name):
            part = Range(version, start, start + size - 1)
            asked = ask_range(s3_client(), self._bucket, self._key(name), part, connecting=False)
        read = partial(self.read_span, name, version, start, size)
        return threads.submit(carried(read)) if asked is None else AskedFirst(asked, read)

    def _slow_span(self, name: str, version: str, start: int, size: int) -> bytes:
        answer, content = transfers.persistently(lambda: self._span(name, version, start, size))
        expected = f"bytes {start}-{start + size - 1}"
        given = answer.get("ContentRange", "").partition("/")[0] or "all of it"
        if (given, answer["ETag"], len(content)) != (expected, version, size):
            raise Refused(f"{self.uri(name)}: the server was asked for {expected} and gave {given} of {answer['ETag']}")
        return content

    def _span(self, name: str, version: str, start: int, size: int) -> tuple[Any, bytes]:
        place: Any = {"Bucket": self._bucket, "Key": self._key(name)}
        answer = s3_client().get_object(**place, IfMatch=version, Range=f"bytes={start}-{start + size - 1}")
        return answer, answer["Body"].read()

    def put(self, name: str, content: Content) -> None:
        """By one PUT request, or in parts as boto3 makes them: equal content has an equal ETag."""
        with self._refusals(name):
            if isinstance(content, bytes):
                s3_client().put_object(Bucket=self._bucket, Key=self._key(name), Body=content)
            else:
                s3_client().upload_file(str(content), self._bucket, self._key(name))

    def put_if_absent(self, name: str, content: Content) -> bool:
        """By a conditional PUT, or in parts that a conditional request puts together."""
        with self._refusals(name):
            return _put_new(self._bucket, self._key(name), content)

    def touch(self, name: str) -> bool:
        """An object that was last used long ago is copied onto itself."""
        found = self.find(name)
        if found is not None and is_due(found.modified):
            with self._refusals(name):
                _copy_onto_itself(self._bucket, self._key(name))
        return found is not None

    def delete(self, names: Sequence[str]) -> None:
        """In batches."""
        for first in range(0, len(names), PAGE):
            with self._refusals(""):
                _delete(self._bucket, [self._key(name) for name in names[first : first + PAGE]])

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}" if name else self._root

    def _name(self, key: str) -> str:
        return key.removeprefix(self._prefix)

    def _listing(self, prefix: str, deep: bool) -> Iterator[Any]:
        level: dict[str, Any] = {"PaginationConfig": {"PageSize": PAGE}} | ({} if deep else {"Delimiter": "/"})
        with self._refusals(prefix):
            paginator = s3_client().get_paginator("list_objects_v2")
            yield from paginator.paginate(Bucket=self._bucket, Prefix=f"{self._prefix}{prefix}", **level)

    @contextmanager
    def _refusals(self, name: str) -> Iterator[None]:
        """Errors of boto3 as those of the protocol; a server that does not answer stays what it is."""
        try:
            yield
        except Exception as error:
            found = _refusal(error, self.uri(name))
            if found is None:
                raise
            raise found from error


def _put_new(bucket: str, key: str, content: Content, waits: Sequence[float] = _WAITS) -> bool:
    """Whether there was none. Others who write at the same moment are waited for, which boto3 does not do by itself."""
    from botocore.exceptions import ClientError

    try:
        _put_conditionally(bucket, key, content)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        # Parts that are gone were put together, perhaps by a request of ours whose answer was lost.
        if code == "PreconditionFailed" or (code == "NoSuchUpload" and _is_there(bucket, key)):
            return False
        if code != "ConditionalRequestConflict":
            raise
        if not waits:
            raise ConnectionError(f"s3://{bucket}/{key}: others are writing it all the time") from error
        time.sleep(waits[0])
        return _put_new(bucket, key, content, waits[1:])
    return True


def _put_conditionally(bucket: str, key: str, content: Content) -> None:
    if isinstance(content, bytes):
        s3_client().put_object(Bucket=bucket, Key=key, Body=content, IfNoneMatch="*")
    elif content.stat().st_size >= LARGE:
        upload_new(s3_client(), bucket, key, content)
    else:
        with content.open("rb") as file:
            s3_client().put_object(Bucket=bucket, Key=key, Body=file, IfNoneMatch="*")


def _is_there(bucket: str, key: str) -> bool:
    return S3Storage(f"s3://{bucket}").find(key) is not None


def _refusal(error: Exception, uri: str) -> Exception | None:
    from boto3.exceptions import S3UploadFailedError
    from botocore.exceptions import ClientError, NoCredentialsError, ParamValidationError

    if isinstance(error, S3UploadFailedError):
        return _refusal(error.__context__, uri) if isinstance(error.__context__, ClientError) else None
    if isinstance(error, NoCredentialsError | ParamValidationError):
        return Refused(f"{uri}{_by_whom()}: {error}")
    if not isinstance(error, ClientError):
        return None
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _ABSENT:
        return FileNotFoundError(uri)
    return Refused(f"{code} from S3 for {uri}{_by_whom()}") if 400 <= status < 500 and status not in _PASSING else None


def _by_whom() -> str:
    """Whose keys and address they are, where they are not the process's own."""
    given = access()
    return f", reached by {given.said_by}" if given else ""


def _delete(bucket: str, keys: list[str]) -> None:
    from botocore.exceptions import ClientError

    try:
        answer = s3_client().delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
        )
    except ClientError:  # some servers do not take batches; what is really wrong shows with a single one
        for key in keys:
            s3_client().delete_object(Bucket=bucket, Key=key)
        return
    if errors := answer.get("Errors"):
        first = f"{errors[0].get('Key')}: {errors[0].get('Code')} {errors[0].get('Message', '')}"
        raise StoreError(f"s3://{bucket}: {len(errors)} objects cannot be deleted, such as {first}")


def _copy_onto_itself(bucket: str, key: str) -> None:
    from boto3.s3.transfer import TransferConfig

    as_one = TransferConfig(multipart_threshold=_LARGEST_COPY, multipart_chunksize=_LARGEST_COPY)
    source: CopySourceTypeDef = {"Bucket": bucket, "Key": key}
    s3_client().copy(source, bucket, key, ExtraArgs={"MetadataDirective": "REPLACE"}, Config=as_one)
