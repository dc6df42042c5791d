"""Lines and tables as a terminal of a width shows them, and as a pipe gets them."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from litegate.cli.screen import Column, print_columns, say

TABLE = [Column("name", ["a", "bb"]), Column("count", ["1", "1,000"], number=True), Column("more", ["x" * 30, ""], 1)]
WHY = Column("why", ["too slow for the device that we sell", "so"])


def console(width: int | None) -> Console:
    return Console(width=width, file=StringIO(), force_terminal=width is not None, color_system=None)


def lines(on: Console) -> list[str]:
    return on.file.getvalue().splitlines()


def test_a_long_line_is_broken_between_words_on_a_terminal_and_nowhere_on_a_pipe() -> None:
    text = "ship it: /a/path/that/is/longer/than/the/terminal/is/wide and so on and on"
    narrow, pipe = console(30), console(None)
    say(narrow, text)
    say(pipe, text)
    assert lines(narrow) == ["ship it:", "  /a/path/that/is/longer/than/the/terminal/is/wide", "  and so on and on"]
    assert lines(pipe) == [text]


def test_markup_in_a_line_is_text() -> None:
    on = console(80)
    say(on, "the class [bold]")
    assert lines(on) == ["the class [bold]"]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (None, ["name  count  more                            why", f"a         1  {'x' * 30}  {WHY.cells[0]}"]),
        (
            100,
            [
                "name  count  more                            why",
                "\u2500" * 81,
                f"a         1  {'x' * 30}  {WHY.cells[0]}",
            ],
        ),
        (60, ["name  count  more", "\u2500" * 43, f"a         1  {'x' * 30}", f"    {WHY.cells[0]}", "bb    1,000"]),
        (30, ["name  count", "\u2500" * 27, "a         1", "    too slow for the device"]),
    ],
)
def test_a_text_stands_in_the_last_column_where_there_is_room_and_below_its_row_else(
    width: int | None, expected: list[str]
) -> None:
    on = console(width)
    left_out = print_columns(on, TABLE, rest=WHY)
    assert lines(on)[: len(expected)] == expected
    assert left_out == (("more",) if width == 30 else ())
