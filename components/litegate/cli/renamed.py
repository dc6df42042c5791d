"""Names that commands had before: they keep working, and say what to use."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["warn_of_old_name", "with_old_fields"]


def warn_of_old_name(old: str, new: str) -> None:
    """Say on standard error that a command has another name now."""
    print(f"warning: `litegate {old}` is deprecated: use `litegate {new}`", file=sys.stderr)


def with_old_fields(found: dict[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    """JSON that has its fields by their old names as well; its field `deprecated` says what to read in their place.

    Args:
        renamed: the present name of each old one.
    """
    return found | {old: found[new] for old, new in renamed.items()} | {"deprecated": dict(renamed)}
