"""The text of a first spec: YAML with a comment wherever something was decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

__all__ = ["FirstSpec"]


@dataclass
class FirstSpec:
    """The keys of a spec, and what a person should know of them; `text` is the file."""

    keys: dict[str, dict[str, Any]]
    head: list[str]
    comments: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The YAML file, with a comment wherever something was decided."""
        lines = [f"# {line}" for line in (*self.head, *(f"Note: {note}" for note in self.notes))]
        sections = [[*self._entry(key, value)] for key, value in self.keys.items()]
        for section, before in zip(sections, [[""] * 2, *sections], strict=False):
            apart = len(section) > 1 or len(before) > 1
            lines += [""] * apart + section
        return "\n".join(lines) + "\n"

    def _entry(self, key: str, value: Any, indent: str = "") -> Iterator[str]:
        comment = self.comments.get(key, "")
        if isinstance(value, dict) and not indent:
            yield f"{key}:{f'  # {comment}' if comment else ''}"
            for name, inner in value.items():
                yield from self._entry(f"{key}.{name}", inner, "  ")
        else:
            yield f"{indent}{key.rpartition('.')[2]}: {_flow(value)}{f'  # {comment}' if comment else ''}"


def _flow(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("\n").removesuffix("\n...")
