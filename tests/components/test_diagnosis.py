"""Which kind of failure an exception is."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests
import urllib3
from botocore.exceptions import ClientError, EndpointConnectionError

from litegate.diagnosis import exhausted, kind_of, message_of
from litegate.digest import OtherBytes
from litegate.errors import DataError, DiskFull, GateRejected, StepFailed, StoreError
from litegate.failures import FailureKind as Kind

REQUEST = httpx.Request("GET", "http://server")


def s3(status: int) -> ClientError:
    answer: Any = {"Error": {"Code": "x"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetObject")


def http(status: int) -> httpx.HTTPStatusError:
    return httpx.HTTPStatusError("no", request=REQUEST, response=httpx.Response(status, request=REQUEST))


def mlflow(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError("no", response=response)


def after(error: Exception, earlier: Exception) -> Exception:
    """`error`, raised while another was handled."""
    try:
        try:
            raise earlier
        except Exception:
            raise error  # noqa: B904
    except Exception as found:
        return found


@pytest.mark.parametrize("answered", [s3, http, mlflow])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, Kind.INFRASTRUCTURE),
        (503, Kind.INFRASTRUCTURE),
        (429, Kind.INFRASTRUCTURE),
        (408, Kind.INFRASTRUCTURE),
        (403, Kind.PYTHON_ERROR),
        (404, Kind.PYTHON_ERROR),
    ],
)
def test_a_servers_refusal_is_an_answer(answered: Callable[[int], Exception], status: int, kind: Kind) -> None:
    assert kind_of(answered(status)) is kind


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://s3"),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("late"),
        requests.ConnectionError("refused"),
        urllib3.exceptions.ProtocolError("cut"),
        ConnectionResetError("cut"),
        TimeoutError("late"),
        after(RuntimeError("MLflow's own"), requests.ConnectionError("refused")),
        after(StoreError("the ledger cannot be read"), ConnectionError("refused")),
    ],
    ids=repr,
)
def test_a_server_that_gave_no_answer_may_be_asked_again(error: Exception) -> None:
    assert kind_of(error) is Kind.INFRASTRUCTURE


@pytest.mark.parametrize(
    "error",
    [
        KeyError("ours"),
        OtherBytes("0" * 64),
        StoreError("their digest is another one"),
        RuntimeError("who knows"),
        requests.exceptions.InvalidURL("no address"),
        after(KeyError("ours"), ConnectionError("refused")),
        after(TypeError("ours"), requests.ConnectionError("refused")),
    ],
    ids=repr,
)
def test_what_is_not_known_is_not_taken_for_something_that_passes(error: Exception) -> None:
    assert kind_of(error) is Kind.PYTHON_ERROR


def test_our_own_errors_say_what_they_are() -> None:
    assert kind_of(StepFailed("quantize", Kind.UNSUPPORTED, "no")) is Kind.UNSUPPORTED
    assert kind_of(DataError("uri", "a file", "none")) is Kind.BAD_INPUT
    assert kind_of(GateRejected("nothing passed")) is Kind.REJECTED
    assert kind_of(after(StepFailed("fetch", Kind.KILLED, "no"), ConnectionError("refused"))) is Kind.KILLED


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOSPC, "full"), Kind.DISK_FULL),
        (DiskFull("/scratch"), Kind.DISK_FULL),
        (RuntimeError("write failed: No space left on device"), Kind.DISK_FULL),
        (MemoryError(), Kind.OUT_OF_MEMORY),
        (after(DataError("preprocess", "a sample", "an error"), MemoryError()), Kind.OUT_OF_MEMORY),
        (RuntimeError("who knows"), None),
    ],
    ids=repr,
)
def test_what_there_was_too_little_of_is_told_whatever_tells_it(error: Exception, kind: Kind | None) -> None:
    assert exhausted(error) is kind


def test_a_users_error_is_its_message_and_any_other_bears_its_name() -> None:
    assert message_of(DataError("uri", "a file", "none")) == "uri: expected a file, got none"
    assert message_of(StepFailed("quantize", Kind.ABORT, "SIGABRT")) == "SIGABRT"
    assert message_of(GateRejected("nothing passed")) == "nothing passed"
    assert message_of(StoreError("gone")) == "StoreError: gone"
