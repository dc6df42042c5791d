"""Text that MLflow's pages draw."""

from __future__ import annotations

import pytest

from litegate.presentation.markdown import fit, plain, table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n\n# b", "a # b"),
        ("![x](http://tracker/)", "!\\[x\\](http://tracker/)"),
        ("<img src=x onerror=y> & co", "&lt;img src=x onerror=y> &amp; co"),
        ("*loud* `code` int8_float", "\\*loud\\* \\`code\\` int8_float"),
    ],
)
def test_what_others_wrote_cannot_become_markup(text, expected):
    assert plain(text) == expected


def test_a_table_has_gaps_between_its_columns_and_numbers_to_the_right():
    assert table(("name", "size"), 1, [("a", "1")]).splitlines() == [
        "| name &nbsp; | size |",
        "| --- | ---: |",
        "| a &nbsp; | 1 |",
    ]


@pytest.mark.parametrize("limit", [100, 101, 120, 5000])
def test_text_is_cut_after_a_whole_line_and_says_so(limit):
    text = "\n".join(f"line {number}" for number in range(1000))
    found = fit(text, limit, "the file has it")
    assert len(found) <= limit
    kept, notice = found.split("\n\n")
    assert text.startswith(kept + "\n")
    assert notice == "*It is cut here, for MLflow keeps no more: the file has it.*"


def test_text_that_fits_stays_as_it_is():
    assert fit("x" * 10, 10, "nowhere") == "x" * 10
