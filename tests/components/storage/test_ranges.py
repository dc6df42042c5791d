"""Parts of S3 objects by a request that boto3 prepared once, and by boto3 itself where that does not give them."""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from litegate.diagnosis import kind_of
from litegate.errors import DataError
from litegate.failures import FailureKind
from litegate.storage import ranges, spans, transfers
from litegate.storage.access import Access, Role, reached_by
from litegate.storage.connections import Asked, Connections
from litegate.storage.manifests import Entry
from litegate.storage.protocol import AT_ONCE, Refused
from litegate.storage.s3 import S3Storage, client_for, s3_client
from litegate.storage.user_objects import fetch_spans
from tests.benchmarks.range_server import VERSION, Server
from tests.chaos.faulty_s3 import Fault, FaultyS3, faulty_s3
from tests.guarded import BUCKET, GuardedS3

CONTENT = bytes(range(256)) * 400


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each part whether it came without boto3."""
    seen: list[bool] = []

    def noted(*arguments: Any) -> bytes | None:
        found = ranges.quick_range(*arguments)
        seen.append(found is not None)
        return found

    monkeypatch.setattr("litegate.storage.s3.quick_range", noted)
    return seen


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """S3 is at an address from then on."""

    def move(address: str) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
        client_for.cache_clear()

    return move


@pytest.fixture
def faulty(s3_server: str, s3_bucket: str, at: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    """A proxy in front of the S3 server that breaks nothing by itself; it has an object."""
    s3_client().put_object(Bucket=s3_bucket, Key="a b/ü+%", Body=CONTENT)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    monkeypatch.setattr(transfers.time, "sleep", lambda _: None)
    with faulty_s3(s3_server, share=0.0, silence=0.0) as (address, proxy):
        at(address)
        yield proxy


@pytest.fixture
def stored(faulty: FaultyS3, s3_bucket: str) -> tuple[S3Storage, str]:
    """The object, and its version."""
    storage = S3Storage(f"s3://{s3_bucket}/a b/ü+%")
    found = storage.find("")
    assert found is not None
    faulty.requests = 0
    return storage, found.version


def test_each_part_is_one_request_and_none_is_sent_to_prepare_it(
    stored: tuple[S3Storage, str], faulty: FaultyS3, quick: list[bool]
) -> None:
    storage, version = stored
    for start in (0, 7, 5000):
        assert storage.read_span("", version, start, 100) == CONTENT[start : start + 100]
    assert quick == [True] * 3
    assert faulty.requests == 3
    assert b"".join(storage.read("", version)) == CONTENT, "a request of boto3's own is sent"


def test_another_version_is_refused(stored: tuple[S3Storage, str], s3_bucket: str) -> None:
    storage, version = stored
    storage.read_span("", version, 0, 5)
    s3_client().put_object(Bucket=s3_bucket, Key="a b/ü+%", Body=CONTENT[::-1])
    with pytest.raises(Refused, match="PreconditionFailed"):
        storage.read_span("", version, 0, 5)


def test_an_object_that_is_gone_is_not_found(stored: tuple[S3Storage, str]) -> None:
    storage, version = stored
    storage.read_span("", version, 0, 5)
    storage.delete([""])
    with pytest.raises(FileNotFoundError, match=r"s3://.*/a b/ü\+%"):
        storage.read_span("", version, 0, 5)


@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.BUSY, Fault.SILENCE, Fault.CUT_ANSWER, Fault.LOST_ANSWER])
@pytest.mark.parametrize("times", [1, 3])
def test_what_does_not_come_whole_is_asked_for_again(
    stored: tuple[S3Storage, str], faulty: FaultyS3, quick: list[bool], fault: Fault, times: int
) -> None:
    storage, version = stored
    faulty.planned = [fault] * times
    assert storage.read_span("", version, 1000, 50_000) == CONTENT[1000:51_000]
    assert quick == [False]
    assert faulty.requests == times + 1
    assert storage.read_span("", version, 1, 2) == CONTENT[1:3]
    assert quick == [False, True]


def test_an_error_that_stays_is_boto3s_own(stored: tuple[S3Storage, str], faulty: FaultyS3) -> None:
    storage, version = stored
    faulty.planned = [Fault.BUSY] * 60
    with pytest.raises(ClientError, match="SlowDown") as caught:
        storage.read_span("", version, 0, 5)
    assert kind_of(caught.value) is FailureKind.INFRASTRUCTURE


def test_a_server_that_is_gone_is_no_error_of_the_data(stored: tuple[S3Storage, str], at: Any) -> None:
    storage, version = stored
    at("http://127.0.0.1:9")
    with pytest.raises(BotoCoreError, match="Could not connect") as caught:
        storage.read_span("", version, 0, 5)
    assert kind_of(caught.value) is FailureKind.INFRASTRUCTURE


def test_by_a_proxy_only_boto3_asks(
    stored: tuple[S3Storage, str], faulty: FaultyS3, at: Any, quick: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, version = stored
    at("http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(BotoCoreError, match="proxy"):
        storage.read_span("", version, 0, 5)
    assert quick == [False]
    assert faulty.requests == 0


def test_a_request_is_prepared_anew_once_it_is_old(
    stored: tuple[S3Storage, str], quick: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[str] = []
    s3_client().meta.events.register("before-parameter-build.s3.GetObject", lambda **_: prepared.append(""))
    storage, version = stored
    now = time.monotonic()
    for seconds in (0, 1e-3, 61, 61.5):
        monkeypatch.setattr(ranges.time, "monotonic", lambda seconds=seconds: now - now % 60 + seconds)
        storage.read_span("", version, 0, 5)
    assert len(prepared) == 2
    assert all(quick)


ADDRESSES = {
    "by paths, below one": ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9/s3/"}, ("http", "127.0.0.1:9"), "/s3/bucket/"),
    "by hosts": ({"AWS_ENDPOINT_URL_S3": ""}, ("https", "bucket.s3.eu-west-1.amazonaws.com"), "/"),
    "IPv6": ({"AWS_ENDPOINT_URL_S3": "https://[::1]:9"}, ("https", "[::1]:9"), "/bucket/"),
}


@pytest.mark.parametrize("case", ADDRESSES)
def test_addresses_are_those_of_boto3(s3_bucket: str, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    variables, server, folder = ADDRESSES[case]
    asked: list[Any] = []

    class Told(HTTPConnection):
        def request(self, method: str, url: str, *_: Any, headers: Any) -> None:
            asked.append((method, url, headers))
            raise OSError

    def told(*place: str) -> Connections:
        asked.append(place)
        found = Connections(lambda: Told("nowhere"))
        found.put_back(Told("nowhere"))
        return found

    monkeypatch.setattr(Connections, "to", told)
    monkeypatch.setattr(S3Storage, "_slow_span", lambda *_: b"part")
    for name, value in (variables | {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_SESSION_TOKEN": "token"}).items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    client_for.cache_clear()
    assert S3Storage("s3://bucket/a b/c+ü").read_span("", '"v"', 4, 4) == b"part"
    place, (method, target, headers) = asked
    assert place == server
    assert (method, target) == ("GET", f"{folder}a%20b/c%2B%C3%BC")
    assert "SignedHeaders=host;if-match;" in headers["Authorization"]
    assert (headers["If-Match"], headers["X-Amz-Security-Token"]) == ('"v"', "token")
    assert headers["Range"] == "bytes=4-7"
    assert "range" not in headers["Authorization"]
    assert "token" not in repr(ranges._request(s3_client(), "bucket", "a b/c+ü", '"v"', 0))


class _Ignoring(BaseHTTPRequestHandler):
    """Gives all of an object, whatever part of it is asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("ETag", VERSION)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def serving() -> Iterator[Callable[[ThreadingHTTPServer], str]]:
    """Serves until the test ends."""
    servers: list[ThreadingHTTPServer] = []

    def serve(server: ThreadingHTTPServer) -> str:
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.usefixtures("s3_bucket")
def test_a_server_that_knows_no_ranges_is_refused(at: Any, serving: Any, quick: list[bool]) -> None:
    at(serving(ThreadingHTTPServer(("127.0.0.1", 0), _Ignoring)))
    with pytest.raises(Refused, match=r"was asked for bytes 3-6 and gave all of it"):
        S3Storage("s3://bucket/a").read_span("", VERSION, 3, 4)
    assert quick == [False]


@pytest.mark.usefixtures("s3_bucket")
def test_a_connection_is_used_for_one_request_after_the_other(
    at: Any, serving: Any, quick: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(CONTENT)
    at(serving(Server(0, {"a": tmp_path / "a"})))
    opened, connect = [], HTTPConnection.connect
    monkeypatch.setattr(HTTPConnection, "connect", lambda self: opened.append(1) or connect(self))
    for start in range(9):
        assert S3Storage("s3://bucket/a").read_span("", VERSION, start, 4) == CONTENT[start : start + 4]
    assert quick == [True] * 9
    assert len(opened) == 1


@pytest.fixture
def entries(s3_bucket: str, at: Any, serving: Any, tmp_path: Path) -> list[Entry]:
    """Three objects of a server that keeps its connections."""
    contents = {name: CONTENT * 8 + name.encode() for name in "abc"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    at(serving(Server(0, {name: tmp_path / name for name in contents})))
    size = len(CONTENT) * 8 + 1
    return [Entry(name=name, uri=f"s3://bucket/{name}", size=size, pin=VERSION) for name in contents]


SPANS = [(at, at + 9) for at in range(0, 8 * len(CONTENT), 20_000)]


def _fetched(entries: list[Entry], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetch the same parts of all, and look at them."""
    monkeypatch.setattr(spans, "GAP", 0)
    (folder / "parts").mkdir()
    paths = fetch_spans([(entry, SPANS) for entry in entries], folder / "parts", folder / "cache", "data.uri")
    whole = CONTENT * 8
    for path in paths:
        found = path.read_bytes()
        assert all(found[start:end] == whole[start:end] for start, end in SPANS)


def test_parts_of_many_objects_are_asked_for_before_the_first_has_come(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, connect, waiting = [], HTTPConnection.connect, [0, 0]
    ask, content = Asked.of, Asked.content
    monkeypatch.setattr(HTTPConnection, "connect", lambda self: opened.append(1) or connect(self))

    def of(*arguments: Any) -> Asked | None:
        waiting[0] += 1
        waiting[1] = max(waiting)
        return ask(*arguments)

    def came(self: Asked) -> bytes | None:
        waiting[0] -= 1
        return content(self)

    monkeypatch.setattr(Asked, "of", of)
    monkeypatch.setattr(Asked, "content", came)
    _fetched(entries, tmp_path, monkeypatch)
    assert 1 < waiting[1] <= AT_ONCE
    assert len(opened) <= AT_ONCE < 3 * len(SPANS)


@pytest.mark.parametrize("changed", range(3))
def test_of_many_objects_the_one_that_has_changed_is_named(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: int
) -> None:
    uri = entries[changed].uri
    entries[changed] = entries[changed].model_copy(update={"pin": '"another"'})
    with pytest.raises(DataError, match=rf"data.uri: .* PreconditionFailed from S3 for {uri}"):
        _fetched(entries, tmp_path, monkeypatch)


def test_over_a_network_that_fails_all_parts_come(
    entries: list[Entry], at: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    monkeypatch.setattr(transfers.time, "sleep", lambda _: None)
    with faulty_s3(os.environ["AWS_ENDPOINT_URL_S3"], share=0.2, silence=0.0) as (address, proxy):
        at(address)
        _fetched(entries, tmp_path, monkeypatch)
        assert proxy.faults.total() > 3


def _access(server: GuardedS3, role: str) -> Access:
    assuming = Role(role, json.dumps({"ExternalId": server.external_id, "RoleSessionName": "test"}), server.url)
    return Access(
        "the test", server.key, server.secret, endpoint=server.url, ca_bundle=str(server.authority), role=assuming,
        region="us-east-1",
    )  # fmt: skip


def test_a_server_that_checks_signatures_tokens_and_certificates_takes_one_request_for_many_parts(
    guarded_s3: GuardedS3, quick: list[bool]
) -> None:
    name = uuid.uuid4().hex
    with reached_by(_access(guarded_s3, guarded_s3.role)):
        storage = S3Storage(f"s3://{BUCKET}/{name}")
        storage.put("", CONTENT)
        found = storage.find("")
    assert found is not None
    with reached_by(_access(guarded_s3, guarded_s3.reader)):
        parts = [storage.read_span("", found.version, start, 9) for start in (0, 5000)]
    assert parts == [CONTENT[:9], CONTENT[5000:5009]]
    assert quick == [True, True]
    nobody = Access("nobody", "key", "secret", endpoint=guarded_s3.url, ca_bundle=str(guarded_s3.authority))
    with reached_by(nobody), pytest.raises(Refused, match=r"InvalidAccessKeyId .* reached by nobody"):
        storage.read_span("", found.version, 0, 9)
    assert quick == [True, True, False]


def test_keys_that_end_are_renewed(guarded_s3: GuardedS3, quick: list[bool]) -> None:
    """A prepared request outlives the two seconds of its session: boto3 is asked then, which has new keys."""
    with reached_by(_access(guarded_s3, guarded_s3.brief)):
        storage = S3Storage(f"s3://{BUCKET}/{uuid.uuid4().hex}")
        storage.put("", CONTENT)
        found = storage.find("")
        assert found is not None
        for wait in (0, 3):
            time.sleep(wait)
            assert storage.read_span("", found.version, 1, 9) == CONTENT[1:10]
    assert quick[0]


def test_a_server_with_an_unknown_certificate_is_not_asked(guarded_s3: GuardedS3, quick: list[bool]) -> None:
    untrusting = Access("the test", "key", "secret", endpoint=guarded_s3.url, region="us-east-1")
    with reached_by(untrusting), pytest.raises(BotoCoreError, match="CERTIFICATE_VERIFY_FAILED"):
        S3Storage(f"s3://{BUCKET}/a").read_span("", VERSION, 0, 9)
    assert quick == [False]
