"""Markdown as the pages of MLflow and Airflow show it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

__all__ = ["code", "fit", "number", "plain", "table"]

TEXT_LIMIT = 240
_GAP = " &nbsp; "
"""Keeps columns apart: the pages draw tables without any space between them."""


def plain(text: str) -> str:
    """`text` on one line, bounded, and without anything that Markdown or HTML would act on."""
    short = textwrap.shorten(text, TEXT_LIMIT, placeholder=" ...")
    return re.sub(r"([\\`*\[\]|])", r"\\\1", short.replace("&", "&amp;").replace("<", "&lt;"))


def number(value: float | None, style: str, unit: str = "") -> str:
    """Empty where there is none."""
    return "" if value is None else f"{value:{style}}{unit}"


def table(heads: Sequence[str], texts: int, rows: Sequence[Sequence[str]]) -> str:
    """The first `texts` columns hold text, all others numbers."""
    rule = ["---" if column < texts else "---:" for column in range(len(heads))]
    lines = (f"| {f'{_GAP}| '.join(cells)} |" for cells in (heads, *rows))
    head, *body = lines
    return "\n".join((head, f"| {' | '.join(rule)} |", *body))


def code(text: str, language: str = "python") -> str:
    """A block of code."""
    return f"```{language}\n{text}\n```"


def fit(text: str, limit: int, rest: str) -> str:
    """`text`, or as many of its whole lines as fit into `limit` characters, then where the rest is."""
    if len(text) <= limit:
        return text
    notice = f"\n\n*It is cut here, for MLflow keeps no more: {rest}.*"
    kept, _, _ = text[: limit - len(notice)].rpartition("\n")
    return kept.rstrip() + notice
