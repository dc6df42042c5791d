"""Values as a command line gives them; `tests/operators/ui/test_form.py` has what a form sends."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.errors import SpecError
from litegate.pipeline.overriding import given_values, overridden
from litegate.spec import Spec, parse_spec

DATA: dict[str, Any] = {
    "model": {"name": "m", "uri": "/m.keras"},
    "calibration": {"uri": "/c.npz", "format": "npz"},
    "evaluation": {"uri": "/e.npz", "format": "npz"},
    "gate": {"max_drop": 0.02},
}


@pytest.fixture
def spec() -> Spec:
    return parse_spec(DATA)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("gate.max_drop=0.005", "gate.max_drop", 0.005),
        ("gate.max_drop=5e-3", "gate.max_drop", 0.005),
        ("gate.max_prediction_shift=null", "gate.max_prediction_shift", None),
        ("gate.integer_only=true", "gate.integer_only", True),
        ("calibration.samples=50", "calibration.samples", 50),
        ("select=fastest", "select", "fastest"),
        ("variants=int8", "variants", ["int8"]),
        ("variants=int8, float16", "variants", ["int8", "float16"]),
        ("variants=[int8, float16]", "variants", ["int8", "float16"]),
        ("variants=all", "variants", "all"),
    ],
)
def test_a_value_has_the_type_that_the_spec_wants(text, key, value, spec):
    assert given_values(spec, [text], "--set") == {key: value}
    assert overridden(spec, {key: value}, "--set")[1] is not None


def test_the_last_value_of_a_key_counts(spec):
    assert given_values(spec, ["gate.max_drop=0.5", "gate.max_drop=0.1"], "--set") == {"gate.max_drop": 0.1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model.uri=x", "--set: expected one of variants, select, gate.max_drop"),
        ("promote=true", "the unknown key 'promote'"),
        ("gate.max_drop_from_champion=0.1", "the unknown key 'gate.max_drop_from_champion'"),
        ("gate.max_drop", "--set: expected KEY=VALUE, such as gate.max_drop=0.005, got 'gate.max_drop'"),
        ("variants=[int8", "--set: variants: expected a value as YAML has it, got '[int8'"),
    ],
)
def test_what_cannot_be_given_is_refused(text, message, spec):
    with pytest.raises(SpecError) as refused:
        given_values(spec, [text], "--set")
    assert message in str(refused.value)
