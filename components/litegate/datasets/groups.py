"""What fields of the data say of samples: which of them belong together (`group`), and by what they differ (`slices`).

A value is text or an integer; it is kept as UTF-8 bytes, which an integer is written in.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from litegate.errors import DataError
from litegate.spec import slice_field

__all__ = ["GroupIndex", "check_slices", "groups_of_array", "groups_of_paths", "slices_of_paths"]

Array = np.ndarray[Any, np.dtype[Any]]
_LONGEST = 200
_MOST_VALUES = 100
"""More values of a field are no slices: each would be too small to say anything of it."""
_NAMED = 3


class GroupIndex:
    """Collects the values of one field of all records in their order.

    Args:
        name: of the field; None where the spec names none, and nothing is collected.
        key: the spec's key that names it.
    """

    def __init__(self, name: str | None = None, key: str = "group") -> None:
        self.name, self._key = name, key
        self._numbers: dict[bytes, int] = {}
        self._groups = array("q")

    def add(self, value: object, place: str) -> None:
        """The value of one record, None where it has none.

        Raises:
            DataError: it is missing, or neither text nor an integer.
        """
        if self.name is not None:
            name = _name(value, f"{place}: field {self.name!r}, which `{self._key}` names")
            self._groups.append(self._numbers.setdefault(name, len(self._numbers)))

    @property
    def groups(self) -> Array | None:
        """The value of each record, bytes; None where none were collected."""
        return None if self.name is None else np.array(list(self._numbers), np.bytes_)[np.array(self._groups)]


def groups_of_array(values: Array, place: str) -> Array:
    """The values of an array of shape (samples,).

    Raises:
        DataError: it has another shape, or holds something else than text and integers.
    """
    if values.ndim != 1 or values.dtype.kind not in "biuSU":
        raise DataError(place, "text or integers of shape (samples,)", f"{values.dtype} of shape {values.shape}")
    distinct, number = np.unique(values, return_inverse=True)
    return np.array([_name(value, place) for value in distinct.tolist()], np.bytes_)[number]


def groups_of_paths(paths: Iterable[str], pattern: str, where: str, key: str = "group") -> Array:
    """What a regular expression finds in each path: its first part in parentheses, or all that it matches.

    Raises:
        DataError: it is not found in one of them.
    """
    search, found = re.compile(pattern).search, GroupIndex("path", key)
    part = slice_field(pattern, "images") if key == "slices" else min(re.compile(pattern).groups, 1)
    for path in paths:
        match = search(path)
        if match is None:
            raise DataError(f"{where}: {path}", f"a path in which `{key}` finds {pattern!r}", "another path")
        found.add(match[part], f"{where}: {path}")
    groups = found.groups
    assert groups is not None
    return groups


def slices_of_paths(paths: Sequence[str], patterns: Sequence[str], where: str) -> dict[str, Array]:
    """What regular expressions find in each path, by the names of their parts.

    Raises:
        DataError: one of them finds nothing in a path.
    """
    found = {pattern: groups_of_paths(paths, pattern, where, "slices") for pattern in patterns}
    return {slice_field(pattern, "images"): values for pattern, values in found.items()}


def check_slices(slices: Mapping[str, Array], where: str) -> None:
    """Raise `DataError` where a field has so many values that they are no slices."""
    for name, values in slices.items():
        distinct = np.unique(values)
        if len(distinct) > _MOST_VALUES:
            some = ", ".join(value.decode() for value in distinct[:_NAMED].tolist())
            expected = f"at most {_MOST_VALUES} different values of {name!r}, which `slices` names"
            raise DataError(where, expected, f"{len(distinct):,}, such as {some}")


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
        raise DataError(place, f"a name of at most {_LONGEST} bytes", f"{name!r:.60}")
    return encoded


def _text(value: bytes, place: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise DataError(place, "text in UTF-8 or an integer", f"{value[:20]!r}") from None
