"""`litegate schema`."""

from __future__ import annotations

import json
from pathlib import Path

from litegate.cli.output import answer
from litegate.spec import file_schema, reference_page

__all__ = ["show"]


def show(markdown: bool, target: Path | None) -> int:
    """Print the JSON schema of a spec, or the page that is made from it."""
    schema = file_schema()
    text = reference_page() if markdown else json.dumps(schema, indent=2) + "\n"
    answer(schema, target, lambda: print(text, end=""))
    return 0
