"""What the data says of which samples belong together: frames of one video, utterances of one speaker.

A name is text or an integer; it is kept as UTF-8 bytes, which an integer is written in.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np

from litegate.errors import DataError

__all__ = ["GroupIndex", "groups_of_array", "groups_of_paths"]

Array = np.ndarray[Any, np.dtype[Any]]
_LONGEST = 200


class GroupIndex:
    """Collects the groups of all records in their order.

    Args:
        name: of the field; None where the data names no groups, and nothing is collected.
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name
        self._numbers: dict[bytes, int] = {}
        self._groups = array("q")

    def add(self, value: object, place: str) -> None:
        """The group of one record, None where it has none.

        Raises:
            DataError: it is missing, or neither text nor an integer.
        """
        if self.name is not None:
            name = _name(value, f"{place}: field {self.name!r}, which `group` names")
            self._groups.append(self._numbers.setdefault(name, len(self._numbers)))

    @property
    def groups(self) -> Array | None:
        """The name of each record's group, bytes; None where none were collected."""
        return None if self.name is None else np.array(list(self._numbers), np.bytes_)[np.array(self._groups)]


def groups_of_array(values: Array, place: str) -> Array:
    """The groups that an array of shape (samples,) names.

    Raises:
        DataError: it has another shape, or holds something else than text and integers.
    """
    if values.ndim != 1 or values.dtype.kind not in "biuSU":
        raise DataError(place, "text or integers of shape (samples,)", f"{values.dtype} of shape {values.shape}")
    distinct, number = np.unique(values, return_inverse=True)
    return np.array([_name(value, place) for value in distinct.tolist()], np.bytes_)[number]


def groups_of_paths(paths: Iterable[str], pattern: str, where: str) -> Array:
    """What a regular expression finds in each path: its first part in parentheses, or all that it matches.

    Raises:
        DataError: it is not found in one of them.
    """
    search, found = re.compile(pattern).search, GroupIndex("path")
    for path in paths:
        match = search(path)
        if match is None:
            raise DataError(f"{where}: {path}", f"a path in which `group` finds {pattern!r}", "another path")
        found.add(match[1] if match.re.groups else match[0], f"{where}: {path}")
    groups = found.groups
    assert groups is not None
    return groups


def _name(value: object, place: str) -> bytes:
    if isinstance(value, np.ndarray):
        value = value.item() if value.size == 1 else value.tolist()
    if isinstance(value, bytes):
        name = _text(value, place)
    elif isinstance(value, str | int):
        name = str(value)
    else:
        raise DataError(place, "text or an integer", "nothing" if value is None else f"{value!r:.60}")
    encoded = name.strip().encode()
    if not encoded or b"\0" in encoded or len(encoded) > _LONGEST:
        raise DataError(place, f"the name of a group, of at most {_LONGEST} bytes", f"{name!r:.60}")
    return encoded


def _text(value: bytes, place: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise DataError(place, "text in UTF-8 or an integer", f"{value[:20]!r}") from None
