"""Writes docs/bad-inputs.md from the rows: `python -m tests.catalogue.make_table`."""

from __future__ import annotations

from pathlib import Path

from tests.catalogue.catalogue import CATALOGUE
from tests.catalogue.row import BAD_INPUT, Row

PAGE = Path(__file__).parents[2] / "docs/bad-inputs.md"
HEAD = """# Bad inputs

What litegate does with what it cannot use. Every row is a test (`tests/catalogue/`) that sends the input through
the real steps, and this page is made from the rows: `python -m tests.catalogue.make_table`.

**exit 2**: the run ends at this step with exit code 2 and is not tried again. **failed**: the step, or this variant
alone, has failed for the reason in brackets, and a variant that has failed is never registered as promotable. Either
way the message says where it is, what was expected and what was found; the caller goes on, and nothing is stored that
is not whole.

Each row is sent to its step alone. In a run `convert` comes before them, and
[looks at the data](data.md#before-the-conversion) before it converts the model: much of what is met here by `sample`,
`lint` or `evaluate` is said there, in the same words, unless the conversion is found among stored results.

There are {count} rows.
"""


def table() -> str:
    """The whole page."""
    parts = [HEAD.format(count=sum(map(len, CATALOGUE.values())))]
    for title, rows in CATALOGUE.items():
        lines = [f"## {title}", "", "| what is wrong | met by | ending | the message says |", "|---|---|---|---|"]
        parts.append("\n".join([*lines, *map(_line, rows)]) + "\n")
    return "\n".join(parts)


def _line(row: Row) -> str:
    stage = "the parser" if row.stage == "spec" else f"`{row.stage}`"
    stage += f" of `{row.variant}`" if row.variant else ""
    ending = "exit 2" if row.ending == BAD_INPUT else f"failed (`{row.ending}`)"
    says = row.says.replace("...", " ... ").replace("|", "\\|")
    return f"| {row.wrong} | {stage} | {ending} | `{says}` |"


if __name__ == "__main__":
    PAGE.write_text(table())
