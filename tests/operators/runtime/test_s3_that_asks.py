"""Connections to an S3 server that asks for signatures, session tokens, roles and a certificate of one's own."""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from litegate.diagnosis import kind_of
from litegate.errors import StackError
from litegate.execution.confinement import child_environment
from litegate.execution.preparation import prepared
from litegate.execution.step import Step
from litegate.failures import FailureKind
from litegate.records import Record
from litegate.settings import Settings
from litegate.steps import STEPS
from litegate.storage import s3
from litegate.storage.access import access_variables
from litegate.storage.protocol import Refused
from litegate.storage.s3 import S3Storage, s3_client
from litegate.surroundings import carried
from litegate_airflow.runtime.connections import connected
from tests.guarded import BUCKET, GuardedS3

Connected = Callable[[dict[str, Any]], AbstractContextManager[S3Storage]]
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.fixture
def connecting(monkeypatch: pytest.MonkeyPatch) -> Connected:
    """Within it, S3 is reached by a connection `theirs`: a folder of its own in the bucket."""
    for name in (*KEYS, "AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)

    @contextmanager
    def connecting(connection: dict[str, Any]) -> Iterator[S3Storage]:
        monkeypatch.setenv("AIRFLOW_CONN_THEIRS", json.dumps(connection))
        with connected("theirs", None):
            yield S3Storage(f"s3://{BUCKET}/{uuid.uuid4().hex}/")

    return connecting


def test_a_role_is_assumed_and_every_operation_goes_by_its_session(
    guarded_s3: GuardedS3, connecting: Connected, tmp_path: Path
) -> None:
    (tmp_path / "large").write_bytes(b"x" * (9 << 20))
    with connecting(guarded_s3.connection()) as storage:
        assert storage.put_if_absent("a", b"1")
        assert not storage.put_if_absent("a", b"2")
        assert storage.put_if_absent("large", tmp_path / "large")
        assert b"".join(storage.read("a")) == b"1"
        assert [each.name for page in storage.pages() for each in page] == ["a", "large"]
        assert storage.touch("a")
        storage.delete(["a", "large"])
        assert carried(storage.find)("a") is None
        found: Any = s3_client()
        assert found._request_signer._credentials.get_frozen_credentials().token, "keys of a session, not the user's"


def test_the_users_own_keys_may_do_nothing(guarded_s3: GuardedS3, connecting: Connected) -> None:
    connection = guarded_s3.connection()
    del connection["extra"]["role_arn"]
    with connecting(connection) as storage, pytest.raises(Refused, match=r"AccessDenied .* Airflow connection theirs"):
        storage.put("a", b"1")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"password": "a-wrong-secret-key"}, "SignatureDoesNotMatch"),
        ({"login": "AKIAWRONGWRONGWRONG0"}, "InvalidClientTokenId"),
        ({"role_arn": GuardedS3.other_role}, "STS refuses arn:aws:iam::123456789012:role/others: AccessDenied"),
        ({"external_id": "another"}, "STS refuses arn:aws:iam::123456789012:role/litegate: AccessDenied"),
        ({"assume_role_kwargs": {"DurationSeconds": 1}}, "cannot be assumed: .*DurationSeconds"),
    ],
)
def test_what_sts_refuses_names_the_connection_and_no_secret(
    guarded_s3: GuardedS3, connecting: Connected, other: dict[str, Any], said: str
) -> None:
    connection = guarded_s3.connection()
    (connection if "login" in other or "password" in other else connection["extra"]).update(other)
    with connecting(connection) as storage, pytest.raises(Refused, match=said) as found:
        storage.put("a", b"1")
    assert "the Airflow connection theirs" in str(found.value)
    assert kind_of(found.value) is not FailureKind.INFRASTRUCTURE, "trying again changes nothing"
    for secret in (guarded_s3.secret, connection["password"]):
        assert secret not in str(found.value)


WHAT_AMAZON_SAYS = """<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>The signature is another.

The Canonical String for this request should have been ... {token}</Message></Error></ErrorResponse>"""
WHAT_CEPH_SAYS = "<Error><Code>AccessDenied</Code><Message></Message><RequestId>tx0</RequestId></Error>"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (WHAT_AMAZON_SAYS, "SignatureDoesNotMatch: The signature is another."),
        (WHAT_CEPH_SAYS, "AccessDenied"),
        ("<html/>", "HTTP 403"),
    ],
    ids=["Amazon", "Ceph", "something else"],
)
def test_what_sts_repeats_of_a_request_is_not_said(body: str, said: str, connecting: Connected) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer = body.format(token=self.headers["X-Amz-Security-Token"]).encode()
            self.send_response(403)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sts = {"sts": {"endpoint_url": f"http://127.0.0.1:{server.server_port}"}}
        extra = {"role_arn": GuardedS3.role, "service_config": sts, "region_name": "us-east-1"}
        extra |= {"aws_session_token": "the-token-of-a-session"}
        connection = {"conn_type": "aws", "login": "AKIA", "password": "secret", "extra": extra}
        with connecting(connection) as storage, pytest.raises(Refused) as found:
            storage.put("a", b"1")
        server.shutdown()
    assert str(found.value) == f"the Airflow connection theirs: STS refuses {GuardedS3.role}: {said}"


def test_a_role_that_may_only_read_is_told_so_when_it_writes(guarded_s3: GuardedS3, connecting: Connected) -> None:
    with connecting(guarded_s3.connection()) as storage:
        storage.put("a", b"1")
        root = storage.uri("")
    with connecting(guarded_s3.connection(guarded_s3.reader)):
        assert b"".join(S3Storage(root).read("a")) == b"1"
        with pytest.raises(Refused, match=f"AccessDenied from S3 for {root}b, reached by the Airflow connection"):
            S3Storage(root).put_if_absent("b", b"2")


def test_a_worker_with_the_policy_of_the_page_writes_to_its_workspace_alone_and_deletes_nothing(
    guarded_s3: GuardedS3, connecting: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connecting(guarded_s3.connection()):
        S3Storage(f"s3://{BUCKET}/inputs/").put("data", b"1")
    with connecting(guarded_s3.connection(guarded_s3.worker)):
        inputs, workspace = S3Storage(f"s3://{BUCKET}/inputs/"), S3Storage(f"s3://{BUCKET}/workspace/")
        assert b"".join(inputs.read("data")) == b"1"
        name = uuid.uuid4().hex
        assert workspace.put_if_absent(name, b"1")
        monkeypatch.setattr(s3, "is_due", lambda _: True)
        assert workspace.touch(name)
        for change in (
            lambda: inputs.put("data", b"2"),
            lambda: S3Storage(f"s3://{BUCKET}/elsewhere/").put("data", b"2"),
            lambda: workspace.delete([name]),
        ):
            with pytest.raises(Exception, match="AccessDenied"):
                change()


def test_a_session_that_ends_is_renewed_in_the_task_and_told_where_nobody_renews_it(
    guarded_s3: GuardedS3, connecting: Connected
) -> None:
    with connecting(guarded_s3.connection(guarded_s3.brief)) as storage:
        storage.put("a", b"1")
        client, handed = s3_client(), access_variables()
        time.sleep(2.1)
        storage.put("a", b"2")
        assert s3_client() is client
    key, secret, token = (handed[name] for name in KEYS)
    connection = guarded_s3.connection() | {"login": key, "password": secret}
    del connection["extra"]["role_arn"]
    connection["extra"]["aws_session_token"] = token
    with connecting(connection) as storage, pytest.raises(Refused, match=r"ExpiredToken .* Airflow connection theirs"):
        storage.put("a", b"1")


def test_a_session_without_its_token_is_none(guarded_s3: GuardedS3, connecting: Connected) -> None:
    with connecting(guarded_s3.connection()):
        handed = access_variables()
    connection = guarded_s3.connection() | {"login": handed[KEYS[0]], "password": handed[KEYS[1]]}
    del connection["extra"]["role_arn"]
    with connecting(connection) as storage, pytest.raises(Refused, match=r"InvalidAccessKeyId .* connection theirs"):
        storage.put("a", b"1")


def test_steps_that_reach_s3_get_keys_of_the_role_and_others_none(
    guarded_s3: GuardedS3, connecting: Connected, tmp_path: Path
) -> None:
    with connecting(guarded_s3.connection()):
        found = {name: child_environment(step, tmp_path) for name, step in STEPS.items()}
    for name, step in STEPS.items():
        assert ("AWS_SESSION_TOKEN" in found[name]) == step.storage, name
        assert guarded_s3.secret not in found[name].values(), name
    child = {name: value for name, value in found["train"].items() if name.startswith("AWS_")}
    assert child["AWS_CA_BUNDLE"] == str(guarded_s3.authority)
    connection = guarded_s3.connection() | {"login": child[KEYS[0]], "password": child[KEYS[1]]}
    del connection["extra"]["role_arn"]
    connection["extra"]["aws_session_token"] = child[KEYS[2]]
    with connecting(connection) as storage:
        storage.put("a", b"1")


def test_a_step_that_may_outlive_its_keys_is_told(
    guarded_s3: GuardedS3, connecting: Connected, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    step = Step("long", Record, Record, environment="service", storage=True, timeout=4000.0)
    places = Settings(
        str(tmp_path / "workspace"), tmp_path / "cache", tmp_path / "scratch", {"service": Path("python")}
    )
    for seconds, told in ((3600, True), (5000, False)):
        caplog.clear()
        connection = guarded_s3.connection(assume_role_kwargs={"DurationSeconds": seconds})
        with connecting(connection), caplog.at_level(logging.WARNING, "litegate"):
            prepared(step, Record(), tmp_path, (), places)
        assert ("hold for 3600 s, and this may take 4000 s" in caplog.text) == told


def test_an_authority_that_nobody_knows_is_refused_and_not_tried_again(
    guarded_s3: GuardedS3, connecting: Connected
) -> None:
    connection = guarded_s3.connection()
    del connection["extra"]["verify"]
    with connecting(connection) as storage, pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED") as found:
        storage.put("a", b"1")
    assert kind_of(found.value) is FailureKind.PYTHON_ERROR


def test_a_profile_stands_in_the_place_of_keys(
    guarded_s3: GuardedS3, connecting: Connected, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"[own]\naws_access_key_id = {guarded_s3.key}\naws_secret_access_key = {guarded_s3.secret}\n"
    (tmp_path / "credentials").write_text(text)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    connection = guarded_s3.connection(profile_name="own") | {"login": None, "password": None}
    with connecting(connection) as storage:
        storage.put("a", b"1")
    connection["extra"]["profile_name"] = "others"
    with connecting(connection) as storage, pytest.raises(Refused, match=r"connection theirs: .* profile \(others\)"):
        storage.put("a", b"1")


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"verify": False}, "extra verify: expected the path of a file with certificates on this worker, got False"),
        ({"verify": "/nowhere.pem"}, "got '/nowhere.pem'"),
        (
            {"role_arn": "arn:aws:iam::1:role/x", "assume_role_method": "assume_role_with_saml"},
            "assume_role_method: expected assume_role, got assume_role_with_saml",
        ),
    ],
)
def test_what_is_not_done_is_refused(extra: dict[str, Any], said: str, connecting: Connected) -> None:
    connection = {"conn_type": "aws", "login": "key", "password": "secret", "extra": extra}
    with pytest.raises(StackError, match=f"the Airflow connection theirs: .*{said}"), connecting(connection):
        pass
