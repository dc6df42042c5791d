"""The JSON schema of a spec file, for editors and for the reference page."""

from __future__ import annotations

from typing import Any

from litegate.spec.gate import Limits
from litegate.spec.whole import Spec
from litegate.variants import MADE_BY, VARIANTS

__all__ = ["file_schema"]

_SOMETHING_IS_JUDGED = {
    "if": {"properties": {"candidates": {"minItems": 1}}, "required": ["candidates"]},
    "else": {"properties": {"variants": {"anyOf": [{"type": ["string", "null"]}, {"minItems": 1}]}}},
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def file_schema() -> dict[str, Any]:
    """What a spec file may hold (JSON Schema, draft 2020-12).

    It accepts every file that `load_spec` accepts. What must fit together between two keys, such as a limit and the
    metric's range, only `load_spec` checks.
    """
    schema: dict[str, Any] = _without_titles(Spec.model_json_schema())
    sections, keys = schema["$defs"], schema["properties"]
    # What the spec takes from other keys may be left out of its file.
    schema["required"].remove("registry")
    del sections["Registry"]["required"]
    for name in Limits.model_fields:
        del sections["Requalify"]["properties"][name]["default"]
    keys["gate"]["default"] = {}
    names = {"type": "array", "items": {"enum": list(VARIANTS)}}
    engines = {"type": "array", "items": {"enum": list(MADE_BY)}, "minItems": 1}
    keys["engine"] = _one_of(keys["engine"], {"enum": list(MADE_BY)}, engines, {"type": "null"})
    keys["variants"] = _one_of(keys["variants"], {"const": "all"}, names, {"type": "null"})
    sections["GivenFile"]["oneOf"] = [_given("uri"), _given("recipe")]
    approval = {"$ref": "#/$defs/Approval"}
    keys["approval"] = _one_of(keys["approval"], {"enum": ["none", "human"]}, approval, {"type": "null"})
    sections["Retrain"]["anyOf"] = [{"required": ["entry_point"]}, {"required": ["command"]}]
    return {"$schema": _DIALECT, "title": "A litegate spec"} | schema | _SOMETHING_IS_JUDGED


def _given(key: str) -> dict[str, Any]:
    """An object with a text under a key."""
    return {"required": [key], "properties": {key: {"type": "string"}}}


def _one_of(schema: dict[str, Any], *choices: dict[str, Any]) -> dict[str, Any]:
    """The key's description with other choices."""
    return {"description": schema["description"], "anyOf": list(choices)}


def _without_titles(schema: Any) -> Any:
    """Pydantic's titles repeat the keys' names."""
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_titles(value) for key, value in schema.items() if key != "title" or isinstance(value, dict)}
