"""Single values of a spec by their dotted keys, and a spec with other values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from litegate.spec.reading import parse_spec
from litegate.spec.whole import Spec

__all__ = ["schema_of", "value_of", "with_values"]


def value_of(spec: Spec, key: str) -> Any:
    """The value at a dotted key, such as `gate.max_drop`, as JSON has it."""
    value = spec.model_dump(mode="json")
    for part in key.split("."):
        value = value[part]
    return value


def with_values(spec: Spec, values: Mapping[str, Any], source: str) -> Spec:
    """The spec with other values at dotted keys, checked as a whole like any spec.

    Raises:
        SpecError: with the first thing that is wrong, as one of `source`.
    """
    data = spec.model_dump(mode="json")
    for key, value in values.items():
        *sections, last = key.split(".")
        section = data
        for part in sections:
            section = section[part]
        section[last] = value
    return parse_spec(data, source)


def schema_of(key: str) -> dict[str, Any]:
    """The JSON schema of the value at a dotted key, with null as one of its types where that is allowed."""
    whole = _whole_schema()
    *sections, last = key.split(".")
    section = whole
    for part in sections:
        section = whole["$defs"][_reference(section["properties"][part]).rpartition("/")[2]]
    return _with_null_as_type(section["properties"][last])


def _reference(schema: dict[str, Any]) -> str:
    """Of a section, which may be null where it may be left out."""
    found: str = next(each["$ref"] for each in (schema, *schema.get("anyOf", ())) if "$ref" in each)
    return found


@cache
def _whole_schema() -> dict[str, Any]:
    return Spec.model_json_schema()


def _with_null_as_type(schema: dict[str, Any]) -> dict[str, Any]:
    """One schema in place of `anyOf` a type and null, which forms do not know."""
    choices = schema.get("anyOf")
    if choices is None:
        return dict(schema)
    (choice,) = (each for each in choices if each["type"] != "null")
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    merged: dict[str, Any] = rest | choice | {"type": [choice["type"], "null"]}
    return merged
