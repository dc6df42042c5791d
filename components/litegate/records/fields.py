"""Types of the fields of records: what a record says of files, and the numbers in it, has bounds.

A record may have been written by a process that runs what users bring, so nothing is believed that has no form.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

__all__ = ["Bound", "Count", "Digest", "FileName", "Moment", "Share", "VariantName", "file_name_problem", "renamed"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST_NAME = 1024

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""SHA-256 in hexadecimal."""

Count = Annotated[int, Field(ge=0, le=1 << 53)]
"""How many, or how many bytes."""

Share = Annotated[float, Field(ge=0, le=1)]

VariantName = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_. -]{0,63}$")]
"""Of a variant, or `champion`; it is part of names of files."""


def renamed(names: Mapping[str, str]) -> BeforeValidator:
    """Reads a value that had another name in records of earlier releases.

    Args:
        names: the present name of each old one.
    """

    def present(value: Any) -> Any:
        return names.get(value, value) if isinstance(value, str) else value

    return BeforeValidator(present)


def file_name_problem(name: str) -> str | None:
    """Why a name could lead out of the folder that its file is put in, or into trouble there; None if it cannot."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or len(name) > _LONGEST_NAME:
        return f"a relative path without '..' of at most {_LONGEST_NAME:,} characters"
    return "a name without control characters" if _CONTROL.search(name) else None


def _stays_inside(name: str) -> str:
    problem = file_name_problem(name)
    if problem is not None:
        raise ValueError(problem)
    return name


FileName = Annotated[str, AfterValidator(_stays_inside)]
"""A relative POSIX path that stays in its folder."""


def _utc(value: str) -> str:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time with its zone")
    try:
        return moment.astimezone(UTC).isoformat(timespec="microseconds")
    except OverflowError:
        raise ValueError("a time between the years 1 and 9999") from None


Moment = Annotated[str, AfterValidator(_utc)]
"""ISO 8601 in UTC with microseconds, so that moments are ordered as text is."""


def _or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Bound = Annotated[float | None, BeforeValidator(_or_none)]
"""A bound, or None where there is none: JSON has no infinity."""
