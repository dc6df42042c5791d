"""Reading the JSON that a child left: plain files of bounded size, with a bounded number of values in them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from litegate.errors import BadInput
from litegate.failures import FailureKind
from litegate.processes import readable
from litegate.records import Record

__all__ = ["RESULT_BYTES", "BadStepInput", "DescribedError", "Forged", "described_error", "plain_bytes", "read_result"]

RESULT_BYTES, _ERROR_BYTES = 8 << 20, 1 << 20
"""Of the result of one file, and of an error."""
_VALUES = 1 << 18
"""So many wrong values take a few hundred megabytes to complain about; a classifier of 80,000 classes has fewer."""
_LONGEST_MESSAGE = 20_000

Kind = TypeVar("Kind", bound=Record)


class BadStepInput(BadInput):
    """A step refused its input, in its own words."""


class DescribedError(NamedTuple):
    """What a child says went wrong.

    Attributes:
        kind: of the enumeration; `PYTHON_ERROR`, which nobody retries, where the child names none of it.
        message: what the error said.
        bad_input: the error itself, if the step refused its input.
    """

    kind: FailureKind
    message: str
    bad_input: BadStepInput | None


class Forged(ValueError):
    """What a child handed back is not what its step can have made; the message says what of it."""


def read_result(folder: Path, kind: type[Kind], our_own: bool = False, several: int = 1) -> Kind:
    """The record in FOLDER/result.json.

    Args:
        our_own: whether the child runs nothing but our code on MLflow's data, of which there may be any amount.
        several: how many files the result is about.

    Raises:
        Forged: it is no plain file, too large, not valid JSON, or no valid record of this kind.
    """
    limit = 1 << 30 if our_own else RESULT_BYTES * several
    data = plain_bytes(folder / "result.json", limit)
    if data is None:
        raise Forged(f"result.json: expected a plain file of at most {limit:,} bytes, got something else")
    try:
        value = from_json(data)
    except ValueError as error:
        raise Forged(f"result.json is not valid JSON: {error}"[:500]) from None
    if not our_own and sum(1 for _ in _values(value)) > _VALUES * several:
        raise Forged(f"result.json: expected at most {_VALUES * several:,} values, got more")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise Forged(f"the result is not a valid {kind.__name__}: {_first(error)}") from None


def described_error(folder: Path) -> DescribedError | None:
    """The error in FOLDER/error.json, with bounded texts; None if there is none."""
    data = plain_bytes(folder / "error.json", _ERROR_BYTES)
    try:
        error = None if data is None else from_json(data)
    except ValueError:
        return None
    if not isinstance(error, dict):
        return None
    kind, message = FailureKind.of(error.get("kind")), _text(error.get("message", ""))
    if kind is not FailureKind.BAD_INPUT:
        return DescribedError(kind, message, None)
    refusal = BadStepInput(*(_text(error.get(part, "")) for part in ("where", "expected", "got")))
    return DescribedError(kind, str(refusal), refusal)


def _text(value: object) -> str:
    """A bounded text that does nothing to a terminal."""
    return "\n".join(map(readable, str(value)[:_LONGEST_MESSAGE].splitlines()))


def plain_bytes(path: Path, limit: int) -> bytes | None:
    """The content of a file that is neither a link, nor a further name of another file, nor a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > limit:
            return None
        data = file.read(limit + 1)  # it may grow meanwhile
    return data if len(data) <= limit else None


def _values(value: Any) -> Iterator[Any]:
    """Every value in lists and objects, at any depth, which the parser has bounded."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        inside = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
        waiting += inside
        yield from inside


def _first(error: ValidationError) -> str:
    """The first problem, with where it is and what is there."""
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"])) or "it"
    return f"{where[:200]}: {first['msg'][:300]}, got {first['input']!r:.100}"
