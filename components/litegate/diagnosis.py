"""Which kind of failure an exception is, and what it says."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from typing import Any

from litegate.disk import is_full
from litegate.errors import BadInput, GateRejected, StepFailed
from litegate.failures import FailureKind

__all__ = ["NO_ROOM", "exhausted", "is_no_memory", "kind_of", "message_of", "of_last_words"]

NO_ROOM = re.compile(r"No space left on device|Disk quota exceeded|database or disk is full")
"""A full disk, as the C library, quotas and SQLite say it."""

_NO_MEMORY = re.compile(
    r"std::bad_alloc|\bMemoryError\b|_ArrayMemoryError|ResourceExhausted|out of memory|Cannot allocate memory"
    r"|OOM when allocating|can't start new thread|pthread_create failed",
    re.IGNORECASE,
)
_OF_A_FULL_DISK = frozenset({FailureKind.ABORT, FailureKind.BUS_ERROR, FailureKind.EXIT_CODE})
_OF_NO_MEMORY = frozenset({FailureKind.ABORT, FailureKind.EXIT_CODE})

_NETWORK = ("botocore.", "httpcore.", "httpx.", "requests.", "urllib3.")
_NOT_ASKED = ("ParamValidationError", "ProfileNotFound")
"""Errors of a client before it asks anybody."""
_DEFECTS = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, TypeError)
"""Errors of our own code, whatever happened before them."""
_TOO_MANY_REQUESTS, _REQUEST_TIMEOUT, _SERVER_ERRORS = 429, 408, 500


def kind_of(error: BaseException) -> FailureKind:
    """What an exception amounts to, by itself and what it was raised for; `PYTHON_ERROR` if it is not known."""
    match error:
        case StepFailed():
            return error.kind
        case BadInput():
            return FailureKind.BAD_INPUT
        case GateRejected():
            return FailureKind.REJECTED
    found = exhausted(error)
    if found is None and not isinstance(error, _DEFECTS) and _unanswered(error):
        found = FailureKind.INFRASTRUCTURE
    return found or FailureKind.PYTHON_ERROR


def message_of(error: BaseException) -> str:
    """What is to be said of it: of an error that litegate raises for its users their message alone."""
    match error:
        case StepFailed():
            return error.detail
        case BadInput() | GateRejected():
            return str(error)
    return f"{type(error).__name__}: {error}"


def exhausted(error: BaseException) -> FailureKind | None:
    """Whether a disk was full or memory ran out, whatever the exception is that tells so."""
    if _disk_full(error):
        return FailureKind.DISK_FULL
    return FailureKind.OUT_OF_MEMORY if _out_of_memory(error) else None


def of_last_words(kind: FailureKind, said: str) -> FailureKind:
    """The kind of a death in the light of what the process said last."""
    if kind in _OF_A_FULL_DISK and NO_ROOM.search(said):
        return FailureKind.DISK_FULL
    if kind in _OF_NO_MEMORY and is_no_memory(said):
        return FailureKind.OUT_OF_MEMORY
    return kind


def is_no_memory(said: str) -> bool:
    """Whether a process said that memory ran out."""
    return _NO_MEMORY.search(said) is not None


def _disk_full(error: BaseException) -> bool:
    """Libraries tell it in words alone, and TensorFlow as a resource that is exhausted."""
    return any(is_full(each) or NO_ROOM.search(str(each)) for each in _chain(error, all_of_it=False))


def _out_of_memory(error: BaseException) -> bool:
    """Also in another process that handed its exception over."""
    for each in _chain(error, all_of_it=False):
        name = type(each).__name__
        if isinstance(each, MemoryError) or name == "ResourceExhaustedError":
            return True
        if name == "_RemoteTraceback" and re.search(r"^\S*MemoryError\b", str(each), re.MULTILINE):
            return True
    return False


def _unanswered(error: BaseException) -> bool:
    """A certificate that nobody trusts stays so, however often it is looked at."""
    errors = tuple(_chain(error))
    trusted = not any(isinstance(each, ssl.SSLCertVerificationError) for each in errors)
    return trusted and any(map(_no_answer, errors))


def _no_answer(error: BaseException) -> bool:
    """Whether a server could not be reached or could not answer; a refusal is an answer."""
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    if isinstance(error, ValueError) or type(error).__name__ in _NOT_ASKED:  # an address that is none, or the like
        return False
    of_network = any(f"{cls.__module__}.".startswith(_NETWORK) for cls in type(error).__mro__)
    status = _status(error)
    return of_network and (status in (None, _REQUEST_TIMEOUT, _TOO_MANY_REQUESTS) or status >= _SERVER_ERRORS)


def _status(error: BaseException) -> Any:
    """The HTTP status of the answer that an error of boto3, requests or httpx is about; None if there was none."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return getattr(response, "status_code", None)


def _chain(error: BaseException, all_of_it: bool = True) -> Iterator[BaseException]:
    """An exception and what it was raised for; what `from None` left out only with `all_of_it`."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        context = None if seen.__suppress_context__ and not all_of_it else seen.__context__
        seen = seen.__cause__ or context
