"""CSV files with a header line: a column is a field, a line is a record. Lines are found by their offsets."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from litegate.datasets.fields import Raw
from litegate.datasets.shards import RecordIndex
from litegate.errors import DataError

__all__ = ["DelimitedShard"]

Array = np.ndarray[Any, np.dtype[Any]]
_BOM = "\ufeff"


@dataclass(frozen=True)
class DelimitedShard:
    """One indexed file; `offsets` says where each line begins, `lines` which one it is."""

    positional: ClassVar[bool] = True
    fetch: Callable[[], Path]
    where: str
    separator: str
    offsets: Array
    lines: Array
    fields: Sequence[str]

    @property
    def numbers(self) -> Sequence[str]:
        """All columns: what is no number is found when it is read."""
        return self.fields

    @classmethod
    def open(cls, fetch: Callable[[], Path], where: str, index: RecordIndex) -> DelimitedShard:
        """Find the lines, and read the labels, groups and slices; a tab separates columns where the header has one.

        Raises:
            DataError: there is no header, or a line has another number of columns.
        """
        offsets, lines = array("q"), array("q")
        with fetch().open("rb") as file:
            head = file.readline()
            if b"\0" in head or head[:2] == b"\x1f\x8b":
                raise DataError(where, "a CSV file", "a file that is packed or no text")
            separator = "\t" if b"\t" in head else ","
            fields = [name.strip() for name in _cells(head.removeprefix(_BOM.encode()), separator, f"{where}: line 1")]
            if len(set(fields)) != len(fields) or not all(fields):
                raise DataError(f"{where}: line 1", "a header with a name for each column", f"{', '.join(fields):.200}")
            labels = index.labels
            columns = {name: column for column, name in enumerate(fields)}
            at = columns.get(labels.name)
            offset = file.tell()
            for number, line in enumerate(file, 2):
                if line.strip():
                    place = f"{where}: line {number}"
                    cells = _row(line, separator, fields, place)
                    labels.add(None if at is None else _number(cells[at], place, labels.name), place)
                    for name, each in index.named.items():
                        column = columns.get(name)
                        each.add(None if column is None else cells[column], place)
                    offsets.append(offset)
                    lines.append(number)
                offset += len(line)
        return cls(fetch, where, separator, np.array(offsets), np.array(lines), tuple(fields))

    def __len__(self) -> int:
        return len(self.offsets)

    def identity(self, position: int) -> str:
        """The record's position, not counting the header and empty lines."""
        return str(position)

    def read(self, positions: Array, names: Collection[str]) -> Iterator[Mapping[str, Raw]]:
        """The columns `names` of the lines at `positions`."""
        columns = {name: column for column, name in enumerate(self.fields)}
        at = {name: columns[name] for name in names if name in columns}
        with self.fetch().open("rb") as file:
            for position in positions.tolist():
                place = f"{self.where}: line {self.lines[position]}"
                file.seek(int(self.offsets[position]))
                cells = _row(file.readline(), self.separator, self.fields, place)
                yield {name: _number(cells[column], place, name) for name, column in at.items()}


def _row(line: bytes, separator: str, fields: Sequence[str], place: str) -> list[str]:
    cells = _cells(line, separator, place)
    if len(cells) != len(fields):
        raise DataError(place, f"{len(fields)} columns, as in the header", f"{len(cells)}")
    return cells


def _cells(line: bytes, separator: str, place: str) -> list[str]:
    try:
        (cells,) = csv.reader([line.decode().rstrip("\r\n")], delimiter=separator, strict=True)
    except (csv.Error, UnicodeDecodeError, ValueError) as error:
        raise DataError(place, "columns on one line", str(error) or "nothing") from None
    return cells


def _number(text: str, place: str, name: str) -> Array:
    try:
        return np.asarray(int(text), np.int64)
    except (ValueError, OverflowError):
        pass
    try:
        return np.asarray(float(text), np.float64)
    except ValueError:
        found = f"{text!r:.60}" if text.strip() else "an empty cell"
        raise DataError(f"{place}: column {name!r}", "a number", found) from None
