"""The form of a manual run: values of the spec that a person may try out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

from litegate.pipeline.overriding import CHOICES, OVERRIDABLE, PROMOTE, REMEASURE, SHOWN, overridable
from litegate.spec import Spec, schema_of, value_of
from litegate.variants import VARIANTS

__all__ = ["form"]

OPEN = "Run Parameters"
"""The section that Airflow shows open; the others are opened by a click."""
_SECTIONS = {OPEN if about == CHOICES else about: keys for about, keys in OVERRIDABLE.items()}
# `const` hides a field. Draft 4 does not know the word: a form that was filled before an edit is still good.
_HIDDEN = {"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "const": True, "section": OPEN}
_BOUNDS = {
    "minimum": "at least {:,}",
    "exclusiveMinimum": "more than {:,}",
    "maximum": "at most {:,}",
    "exclusiveMaximum": "less than {:,}",
}


def form(spec: Spec) -> dict[str, Param]:
    """The form's fields, filled with the values of the spec."""
    shown = {key: value_of(spec, key) for key in overridable(spec)}
    promote = "Whether what passes is registered and promoted. It never is where a value below differs from the spec."
    remeasure = "Whether latencies are measured anew, where stored ones of the same files on the same host would do."
    return {
        PROMOTE: Param(True, type="boolean", description_md=promote, section=OPEN),
        REMEASURE: Param(False, type="boolean", description_md=remeasure, section=OPEN),
        **{key: _field(key, value, section) for section, key, value in _by_section(shown)},
        SHOWN: Param(shown, schema=_HIDDEN),
    }


def _by_section(shown: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    return [(name, key, shown[key]) for name, keys in _SECTIONS.items() for key in keys if key in shown]


def _field(key: str, value: Any, section: str) -> Param:
    schema = {name: word for name, word in schema_of(key).items() if name not in ("default", "description", "title")}
    if key == "variants":
        schema["items"] = {"enum": list(VARIANTS)}
    if choices := schema.get("items", {}).get("enum"):
        schema["examples"] = choices  # which the form offers
    return Param(value, description_md=_description(key), section=section, **schema)


def _description(key: str) -> str:
    schema = schema_of(key)
    bounds = [text.format(schema[name]) for name, text in _BOUNDS.items() if name in schema]
    limits = f" {' and '.join(bounds).capitalize()}." if bounds else ""
    empty = " May be empty: null." if "null" in schema["type"] else ""
    return f"{schema['description']}{limits}{empty}"
