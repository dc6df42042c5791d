"""The order of classes that are folders, which gives each of them its number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from litegate.errors import DataError

__all__ = ["class_order"]

_NAMED = 10


def class_order(found: Iterable[str], named: Sequence[str], where: str) -> tuple[str, ...]:
    """The classes in their order: as `named`, as numbers where all are whole numbers, else as text.

    Args:
        found: names of the class folders, in any order and number.
        named: the order that the spec names; empty if it names none.
        where: the spec key and the URI, for messages.

    Raises:
        DataError: `named` and `found` are not the same names, two numbers are equal (`1` and `01`), or numbers among
            other names would be ordered otherwise as text than as numbers.
    """
    names = set(found)
    if named:
        return _as_named(names, tuple(named), where)
    numbers = sorted((name for name in names if _is_number(name)), key=int)
    equal = [pair for pair in pairwise(numbers) if int(pair[0]) == int(pair[1])]
    if equal:
        one, other = sorted(equal[0])
        raise DataError(
            where, "class folders with numbers of their own, or their order in `classes`", f"{one}, {other}"
        )
    if len(numbers) == len(names):
        return tuple(numbers)
    if numbers != sorted(numbers):
        expected = "class folders that are all numbers or all names, or their order in `classes`"
        raise DataError(where, expected, _listed(sorted(names)))
    return tuple(sorted(names))


def _as_named(found: set[str], named: tuple[str, ...], where: str) -> tuple[str, ...]:
    place = f"{where}, classes"
    missing = [name for name in named if name not in found]
    if missing:
        raise DataError(place, "the names of class folders", f"{_listed(missing)}, of which there is no folder")
    unnamed = sorted(found - set(named))
    if unnamed:
        raise DataError(place, "all class folders", f"a list without {_listed(unnamed)}")
    return named


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal()


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
