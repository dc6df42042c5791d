"""The reference page of the spec, made from its JSON schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from litegate.spec.schema import file_schema

__all__ = ["reference_page"]

Schema = dict[str, Any]

_HEAD = """# Spec reference

This page is made from the [JSON schema](spec.md#in-your-editor) of the spec (`make docs`). [The spec](spec.md) tells \
of variants, metrics and data, [what the gate claims](gate.md) how its limits are proved."""
_PAGES = {
    "approval": "approval.md",
    "calibration": "data.md",
    "candidates": "spec.md#finished-files",
    "evaluation": "spec.md#metrics",
    "fine_tune": "how-to/fine-tune.md",
    "gate": "gate.md",
    "model": "retrain.md#where-the-model-goes",
    "notify": "approval.md#notifications",
    "recover": "recovery.md",
    "registry": "promotion.md",
    "requalify": "requalify.md",
    "retrain": "retrain.md#train-on-a-schedule",
}
_BOUNDS = {"minimum": ">= ", "exclusiveMinimum": "> ", "maximum": "<= ", "exclusiveMaximum": "< "}
_NAMES = {"string": "text", "boolean": "`true` or `false`", "object": "mapping", "null": "`null`"}
_EMPTY = {"array": "`[]`", "object": "`{}`"}
_FROM_OTHER_KEYS = {"engine": "`tf_converter`", "variants": "the target's", "registry.name": "`model.name`"}
_GATES = "the gate's"
"""Of the limits of a requalification, the only other keys without a default."""


def reference_page() -> str:
    """Every key with what it may be, its default and its meaning (Markdown)."""
    schema = file_schema()
    whole = {key: value for key, value in schema["properties"].items() if _section(value) is None}
    parts = [_HEAD, "## Keys of the whole spec", *_table("", schema | {"properties": whole}, {})]
    for key, value in schema["properties"].items():
        name = _section(value)
        if name is not None:
            parts += [
                f"## `{key}`",
                *_about(key, value, schema["$defs"][name]),
                *_table(f"{key}.", schema["$defs"][name], schema["$defs"]),
            ]
    return "\n\n".join(parts) + "\n"


def _section(schema: Schema) -> str | None:
    """The name of the section that a key holds, always, or not null, or in a list."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    inner = [schema["items"]] if "items" in schema else schema.get("anyOf", [])
    return next(filter(None, map(_section, inner)), None)


def _about(key: str, schema: Schema, section: Schema) -> Iterator[str]:
    """What a section is for, and whether it is a list or may be left out."""
    if "description" in schema:
        yield schema["description"]
    yield " ".join(section["description"].split())
    yield f"More: [{_PAGES[key].partition('#')[0]}]({_PAGES[key]})."


def _table(prefix: str, section: Schema, sections: Schema) -> Iterator[str]:
    head = ["| key | what it may be | default | meaning |", "|---|---|---|---|"]
    yield "\n".join([*head, *_rows(prefix, section, sections)])


def _rows(prefix: str, section: Schema, sections: Schema) -> Iterator[str]:
    """A line for each key; the keys of a section in a section follow one another in its place."""
    for name, schema in section["properties"].items():
        inner = _section(schema)
        if inner is not None:
            yield from _rows(f"{prefix}{name}.", sections[inner], sections)
            continue
        default = "**required**" if name in section.get("required", ()) else _default(f"{prefix}{name}", schema)
        yield f"| `{prefix}{name}` | {_kind(schema)} | {default} | {_cell(schema['description'])} |"


def _default(key: str, schema: Schema) -> str:
    if "default" in schema:
        return f"`{json.dumps(schema['default']).strip(chr(34))}`"
    return _FROM_OTHER_KEYS.get(key) or _EMPTY.get(schema.get("type", "")) or _GATES


def _kind(schema: Schema) -> str:
    """What a value may be, in words."""
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema.get("enum", [schema.get("const")]))
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}"
    bounds = [f"{sign}{schema[word]:g}" for word, sign in _BOUNDS.items() if word in schema]
    return f"{_NAMES.get(schema['type'], schema['type'])} {', '.join(bounds)}".strip()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
