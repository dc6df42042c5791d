"""Values of a spec that a person may try out for one run: in a form, by the API or in a shell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from litegate.errors import SpecError
from litegate.spec import Gate, Recover, Spec, schema_of, value_of, with_values

if TYPE_CHECKING:
    from litegate.records import Overrides

__all__ = ["CHOICES", "OVERRIDABLE", "PROMOTE", "REMEASURE", "SHOWN", "given_values", "overridable", "overridden"]

PROMOTE = "promote"
REMEASURE = "remeasure"
SHOWN = "spec_when_shown"
"""What the form was filled with. It sends every value, changed or not, and the file may be edited meanwhile."""

_POWER = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")
"""YAML takes `1e-3` for text, for want of a dot."""

CHOICES = "Choices"
OVERRIDABLE = MappingProxyType(
    {
        CHOICES: ("variants", "select"),
        "Gate": tuple(f"gate.{name}" for name in Gate.model_fields),
        "Evaluation": ("evaluation.max_samples", "evaluation.first_samples", "evaluation.sequential"),
        "Calibration": ("calibration.samples", "calibration.seed"),
        "Recovery": tuple(f"recover.{name}" for name in Recover.model_fields),
    }
)
"""The dotted keys, by what they are about."""


def overridable(spec: Spec) -> tuple[str, ...]:
    """Some keys take tasks of their own, which are there only if the spec file asks for them."""
    absent = set() if spec.gate.max_drop_from_champion is not None else {"gate.max_drop_from_champion"}
    absent |= set() if spec.recover is not None else set(OVERRIDABLE["Recovery"])
    return tuple(key for keys in OVERRIDABLE.values() for key in keys if key not in absent)


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
    known = overridable(spec)
    for key in given:
        _check_known(key, (PROMOTE, REMEASURE, *known), source)
    if not given and conf.get(PROMOTE, True):
        return spec, None
    from litegate.records import Change, Overrides  # a command that changes nothing loads no records

    changed = with_values(spec, given, source)
    pairs = ((key, value_of(spec, key), value_of(changed, key)) for key in known if key in given)
    changes = tuple(Change(key=key, spec=before, run=now) for key, before, now in pairs if before != now)
    if not changes and conf.get(PROMOTE, True):
        return spec, None
    return changed, Overrides(changes=changes)


def given_values(spec: Spec, texts: Iterable[str], source: str) -> dict[str, Any]:
    """Values of the spec's keys that a command line gives as `key=value`, each value as YAML has it.

    A list may also be written without brackets: `variants=int8,float16`.

    Raises:
        SpecError: a text is no such pair, or its key is none that may be given; it is one of `source`.
    """
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise SpecError(source, "KEY=VALUE, such as gate.max_drop=0.005", repr(text))
        _check_known(key, overridable(spec), source)
        found[key] = _typed(key, value, source)
    return found


def _typed(key: str, text: str, source: str) -> Any:
    try:
        value = yaml.safe_load(text)
        value = float(text) if isinstance(value, str) and _POWER.fullmatch(text) else value
    except yaml.YAMLError:
        raise SpecError(f"{source}: {key}", "a value as YAML has it", repr(text)) from None
    if isinstance(value, str) and schema_of(key)["type"] == "array" and value != "all":
        return [part.strip() for part in value.split(",")]
    return value


def _check_known(key: str, known: tuple[str, ...], source: str) -> None:
    if key not in known:
        close = get_close_matches(key, known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise SpecError(source, f"one of {', '.join(known)}", f"the unknown key {key!r}{hint}")
