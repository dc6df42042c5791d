"""Tables and lines for a terminal of any width, and for a pipe: there a row is a line, whole and without decoration."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

__all__ = ["Column", "print_columns", "say", "screen"]

_GAP = "  "
_TOO_NARROW = 40
"""A text that gets fewer characters than this beside its row is put below it."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        cells: as many as the table has rows.
        rank: where a terminal is too narrow, columns of a higher rank are left out; those of rank 0 never are.
        number: whether it is aligned to the right.
        styles: of its cells, if they have any.
    """

    name: str
    cells: Sequence[str]
    rank: int = 0
    number: bool = False
    styles: Sequence[str] = ()

    @property
    def width(self) -> int:
        """Of the widest cell."""
        return max(map(len, (self.name, *self.cells)))

    def text(self, row: int | None) -> Text:
        """A cell, or the head, as wide as the column."""
        cell, style = (self.name, "bold") if row is None else (self.cells[row], self.styles[row] if self.styles else "")
        return Text(cell.rjust(self.width) if self.number else cell.ljust(self.width), style)


def screen(stderr: bool = False) -> Console:
    """Standard output, or standard error."""
    return Console(stderr=stderr, highlight=False)


def say(console: Console, line: str, style: str = "") -> None:
    """A line; on a terminal it is broken between words and goes on indented. Addresses and paths stay whole."""
    indent, parts = " " * (len(line) - len(line.lstrip()) + 2), [line]
    if console.is_terminal and len(line) > console.width > len(indent):
        parts = textwrap.wrap(
            line, console.width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
    for part in parts:
        console.print(Text(part, style), soft_wrap=True)


def print_columns(
    console: Console, columns: Sequence[Column], rest: Column | None = None, bold: Sequence[int] = ()
) -> tuple[str, ...]:
    """Print a table; columns are left out whole, for half a number says nothing.

    Args:
        rest: a last column of texts of any length.
        bold: numbers of the rows that stand out.

    Returns:
        The names of the columns that were left out.
    """
    kept = _fitting(columns, console.width) if console.is_terminal else list(columns)
    rows = len(columns[0].cells)
    lines = [_joined([column.text(row) for column in kept]) for row in (None, *range(rows))]
    used = len(lines[0]) + len(_GAP)
    if rest is not None and (not console.is_terminal or console.width - used >= _least(rest)):
        width = console.width - used if console.is_terminal else 0
        for line, text in zip(lines, (rest.name, *rest.cells), strict=True):
            line.append(_GAP + f"\n{' ' * used}".join(_wrapped(text, width)))
    elif rest is not None:
        for line, text in zip(lines[1:], rest.cells, strict=True):
            line.rstrip()
            line.append("".join(f"\n    {part}" for part in _wrapped(text, console.width - 4)))
    for number, line in enumerate(lines):
        line.rstrip()
        if number - 1 in bold:
            line.stylize("bold")
        console.print(line, soft_wrap=True)
        if console.is_terminal and number == 0:
            console.print(Text("\u2500" * min(console.width, max(map(_width, lines))), "dim"), soft_wrap=True)
    return tuple(column.name for column in columns if column not in kept)


def _fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Those of rank 0, and of the others, by their rank, as many as there is room for."""
    room = width - sum(column.width + len(_GAP) for column in columns if not column.rank) + len(_GAP)
    chosen = []
    for column in sorted((each for each in columns if each.rank), key=lambda each: each.rank):
        if (room := room - column.width - len(_GAP)) >= 0:
            chosen.append(column)
        else:
            room += column.width + len(_GAP)
    return [column for column in columns if not column.rank or column in chosen]


def _least(rest: Column) -> int:
    """The width that a text needs beside its row, so that no word of it is broken."""
    return max(_TOO_NARROW, *(len(word) for text in rest.cells for word in text.split()))


def _joined(cells: Sequence[Text]) -> Text:
    return Text(_GAP).join(cells)


def _wrapped(text: str, width: int) -> list[str]:
    return (textwrap.wrap(text, width, break_on_hyphens=False) if width else [text]) or [""]


def _width(line: Text) -> int:
    return max(map(len, line.plain.split("\n")))
