"""The form of a manual run: values of the spec that a person may try out, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from airflow.sdk import Param

from litegate.errors import SpecError
from litegate.records import Change, Overrides
from litegate.spec import Gate, Spec, schema_of, value_of, with_values
from litegate.variants import VARIANTS

__all__ = ["PROMOTE", "REMEASURE", "SHOWN", "form", "overridden"]

PROMOTE = "promote"
REMEASURE = "remeasure"
SHOWN = "spec_when_shown"
"""What the form was filled with. It sends every value, changed or not, and the file may be edited meanwhile."""

OPEN = "Run Parameters"
"""The section that Airflow shows open; the others are opened by a click."""
_SECTIONS = {
    OPEN: ("variants", "select"),
    "Gate": tuple(f"gate.{name}" for name in Gate.model_fields),
    "Evaluation": ("evaluation.max_samples", "evaluation.first_samples", "evaluation.sequential"),
    "Calibration": ("calibration.samples", "calibration.seed"),
}
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
    shown = {key: value_of(spec, key) for key in _keys(spec)}
    promote = "Whether what passes is registered and promoted. It never is where a value below differs from the spec."
    remeasure = "Whether latencies are measured anew, where stored ones of the same files on the same host would do."
    return {
        PROMOTE: Param(True, type="boolean", description_md=promote, section=OPEN),
        REMEASURE: Param(False, type="boolean", description_md=remeasure, section=OPEN),
        **{key: _field(key, value, section) for section, key, value in _by_section(shown)},
        SHOWN: Param(shown, schema=_HIDDEN),
    }


def overridden(spec: Spec, conf: Mapping[str, Any], source: str) -> tuple[Spec, Overrides | None]:
    """The spec by which a run is to be made, and how it differs from the file's; None where it does not.

    Args:
        conf: what the run was started with: the form's values, or some of them by the API.

    Raises:
        SpecError: a value is none of the form's, or the spec with it is wrong; it says which of `source`.
    """
    shown = conf.get(SHOWN) or {}
    own = {key: value for key, value in conf.items() if key not in (PROMOTE, REMEASURE, SHOWN)}
    given = {key: value for key, value in own.items() if key not in shown or shown[key] != value}
    known = _keys(spec)
    for key in given:
        _check_known(key, known, source)
    changed = with_values(spec, given, source)
    pairs = ((key, value_of(spec, key), value_of(changed, key)) for key in known if key in given)
    changes = tuple(Change(key=key, spec=before, run=now) for key, before, now in pairs if before != now)
    if not changes and conf.get(PROMOTE, True):
        return spec, None
    return changed, Overrides(changes=changes)


def _keys(spec: Spec) -> tuple[str, ...]:
    """Comparing with the champion takes tasks of its own, which are there only if the spec file asks for them."""
    absent = () if spec.gate.max_drop_from_champion is not None else ("gate.max_drop_from_champion",)
    return tuple(key for keys in _SECTIONS.values() for key in keys if key not in absent)


def _by_section(shown: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    return [(name, key, shown[key]) for name, keys in _SECTIONS.items() for key in keys if key in shown]


def _field(key: str, value: Any, section: str) -> Param:
    schema = {name: word for name, word in schema_of(key).items() if name not in ("default", "description", "title")}
    if key == "variants":
        schema |= {"items": {"enum": list(VARIANTS)}, "examples": list(VARIANTS)}  # the form offers the examples
    return Param(value, description_md=_description(key), section=section, **schema)


def _description(key: str) -> str:
    schema = schema_of(key)
    bounds = [text.format(schema[name]) for name, text in _BOUNDS.items() if name in schema]
    limits = f" {' and '.join(bounds).capitalize()}." if bounds else ""
    empty = " May be empty: null." if "null" in schema["type"] else ""
    return f"{schema['description']}{limits}{empty}"


def _check_known(key: str, known: tuple[str, ...], source: str) -> None:
    if key not in known:
        close = get_close_matches(key, known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise SpecError(source, f"one of {', '.join((PROMOTE, REMEASURE, *known))}", f"the unknown key {key!r}{hint}")
