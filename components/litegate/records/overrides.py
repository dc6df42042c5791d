"""A run by other values than the spec file's."""

from __future__ import annotations

import json

from pydantic import JsonValue

from litegate.records.base import Record

__all__ = ["Change", "Overrides"]


class Change(Record):
    """One key of the spec, as the file has it and as the run has it."""

    key: str
    spec: JsonValue
    run: JsonValue

    def __str__(self) -> str:
        return f"{self.key} {_text(self.run)} (spec: {_text(self.spec)})"


class Overrides(Record):
    """What a person changed for one run; nothing of such a run is promoted, also where nothing was changed."""

    changes: tuple[Change, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.changes)) or "by the spec as it is"


def _text(value: JsonValue) -> str:
    """As YAML has it, lists without brackets."""
    if isinstance(value, list):
        return " ".join(map(_text, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value)
