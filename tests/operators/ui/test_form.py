"""The form of a manual run: made from the spec's own schema, and what of it becomes an override run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.definitions.param import SerializedParamsDict
from airflow.serialization.serialized_objects import BaseSerialization

from litegate.errors import SpecError
from litegate.pipeline.overriding import PROMOTE, REMEASURE, SHOWN, overridden
from litegate.records import Change, Overrides
from litegate.spec import Gate, Spec, parse_spec
from litegate.variants import VARIANTS
from litegate_airflow.operators.resolve import ResolveOperator
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.ui.form import form

DATA: dict[str, Any] = {
    "model": {"name": "m", "uri": "/m.keras"},
    "calibration": {"uri": "/c.npz", "format": "npz"},
    "evaluation": {"uri": "/e.npz", "format": "npz", "max_samples": 500},
    "gate": {"max_drop": 0.02},
}
SOURCE = "parameters of this run"


def spec(**gate: Any) -> Spec:
    return parse_spec(DATA | {"gate": DATA["gate"] | gate})


def filled(of: Spec, **changed: Any) -> dict[str, Any]:
    """What the user interface sends: every field's value."""
    return {key: field.value for key, field in form(of).items()} | changed


def accepted_by_server(of: Spec, conf: dict[str, Any]) -> dict[str, Any]:
    """Airflow's own check of a run's parameters, on the form as it is stored."""
    stored = BaseSerialization._serialize_params_dict(form(of))
    fields: SerializedParamsDict = BaseSerialization._deserialize_params_dict(stored)
    return dict(fields.deep_merge(conf).validate())


def test_every_field_is_described_and_checked_as_in_the_spec() -> None:
    fields = form(spec())
    assert set(fields) == {PROMOTE, REMEASURE, SHOWN, "variants", "select"} | {
        "evaluation.max_samples",
        "evaluation.first_samples",
        "evaluation.sequential",
        "calibration.samples",
        "calibration.seed",
        *(f"gate.{name}" for name in Gate.model_fields if name != "max_drop_from_champion"),
    }
    for key, field in fields.items():
        assert field.schema["type"], key
        if key != SHOWN:
            assert field.schema["description_md"], key
            assert field.schema["section"], key
    for name, info in Gate.model_fields.items():
        if f"gate.{name}" in fields:
            assert str(info.description) in fields[f"gate.{name}"].schema["description_md"]


@dataclass(frozen=True)
class Field:
    key: str
    value: Any
    schema: dict[str, Any]
    said: str


@pytest.mark.parametrize(
    "row",
    [
        Field("gate.max_drop", 0.02, {"type": "number", "minimum": 0}, "At least 0."),
        Field(
            "gate.confidence",
            0.95,
            {"type": "number", "exclusiveMinimum": 0.5, "exclusiveMaximum": 1},
            "More than 0.5 and less than 1.",
        ),
        Field(
            "gate.max_class_drop",
            None,
            {"type": ["number", "null"], "minimum": 0, "maximum": 1},
            "At least 0 and at most 1. May be empty: null.",
        ),
        Field("gate.integer_only", False, {"type": "boolean"}, "No operator inside"),
        Field(
            "gate.drop", "absolute", {"type": "string", "enum": ["absolute", "relative"]}, "`relative`: `max_drop` is"
        ),
        Field("evaluation.max_samples", 500, {"type": ["integer", "null"], "minimum": 1}, "At least 1."),
        Field("calibration.samples", 200, {"type": "integer", "minimum": 1, "maximum": 100_000}, "at most 100,000."),
        Field(
            "variants",
            ["dynamic_range", "float16", "int8_float_fallback", "int8"],
            {"type": "array", "items": {"enum": list(VARIANTS)}, "examples": list(VARIANTS)},
            "The variants to build",
        ),
    ],
    ids=lambda row: row.key,
)
def test_a_field_has_the_specs_value_type_and_range(row: Field) -> None:
    field = form(spec())[row.key]
    words = {name: word for name, word in field.schema.items() if name not in ("description_md", "section")}
    assert (field.value, words) == (row.value, row.schema)
    assert row.said in field.schema["description_md"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("gate.max_drop", -0.1),
        ("gate.max_drop", "much"),
        ("gate.confidence", 1),
        ("gate.drop", "some"),
        ("variants", ["int9"]),
        ("variants", None),
        ("calibration.samples", 0),
        ("promote", "yes"),
    ],
)
def test_the_server_refuses_what_the_spec_could_not_have(key: str, value: Any) -> None:
    with pytest.raises(Exception, match=f"Invalid input for param {key}"):
        accepted_by_server(spec(), {key: value})


def test_a_form_sent_as_it_was_filled_is_no_override_run() -> None:
    conf = filled(spec())
    assert accepted_by_server(spec(), conf) == conf
    assert overridden(spec(), conf, SOURCE) == (spec(), None)
    assert overridden(spec(), {}, SOURCE) == (spec(), None)
    assert overridden(spec(), conf | {REMEASURE: True}, SOURCE) == (spec(), None), "latencies are no part of the spec"


def test_what_was_changed_takes_the_place_of_the_files_value_and_is_on_record() -> None:
    changed, overrides = overridden(spec(), filled(spec(), **{"gate.max_drop": 0.05, "variants": ["int8"]}), SOURCE)
    assert (changed.gate.max_drop, changed.variants) == (0.05, ("int8",))
    assert overrides == Overrides(
        changes=(
            Change(key="variants", spec=["dynamic_range", "float16", "int8_float_fallback", "int8"], run=["int8"]),
            Change(key="gate.max_drop", spec=0.02, run=0.05),
        )
    )
    assert str(overrides) == (
        "variants int8 (spec: dynamic_range float16 int8_float_fallback int8), gate.max_drop 0.05 (spec: 0.02)"
    )


def test_a_file_that_was_edited_meanwhile_counts_where_nobody_changed_the_value() -> None:
    before, after = spec(), spec(max_drop=0.01, max_class_drop=0.3)
    conf = filled(before, **{"gate.confidence": 0.9})
    accepted_by_server(after, conf)
    changed, overrides = overridden(after, conf, SOURCE)
    assert (changed.gate.max_drop, changed.gate.max_class_drop) == (0.01, 0.3)
    assert overrides == Overrides(changes=(Change(key="gate.confidence", spec=0.95, run=0.9),))


def test_a_value_that_the_file_has_by_now_is_no_change() -> None:
    conf = filled(spec(), **{"gate.max_drop": 0.05})
    assert overridden(spec(max_drop=0.05), conf, SOURCE) == (spec(max_drop=0.05), None)


def test_by_the_api_a_single_value_will_do() -> None:
    changed, overrides = overridden(spec(), {"gate.max_prediction_shift": None}, SOURCE)
    assert changed.gate.max_prediction_shift is None
    assert str(overrides) == "gate.max_prediction_shift null (spec: 0.2)"


def test_a_person_may_ask_for_no_promotion() -> None:
    assert overridden(spec(), filled(spec(), promote=False), SOURCE) == (spec(), Overrides(changes=()))


@pytest.mark.parametrize(
    ("conf", "message"),
    [
        (
            {"gate.max_drop": 1.5},
            f"{SOURCE}: gate.max_drop: expected at most 1 for top1 (0.01 is one point), got 1.5",
        ),
        (
            {"evaluation.first_samples": 100, "evaluation.sequential": True},
            f"{SOURCE}: evaluation: expected first_samples or sequential, which tests after every batch, got both",
        ),
        ({"variants": ["float32"]}, "at least one variant besides the float32 baseline"),
        ({"gate.max_drp": 0.5}, "the unknown key 'gate.max_drp' (did you mean gate.max_drop?)"),
        ({"gate.max_drop_from_champion": 0.5}, "the unknown key 'gate.max_drop_from_champion'"),
        ({"model.uri": "/other.keras"}, "the unknown key 'model.uri'"),
    ],
)
def test_values_that_do_not_fit_together_are_the_specs_own_error(conf: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as raised:
        overridden(spec(), conf, SOURCE)
    assert message in str(raised.value)


def test_the_champion_is_in_the_form_if_the_graph_compares_with_it() -> None:
    compared = spec(max_drop_from_champion=0.01)
    assert form(compared)["gate.max_drop_from_champion"].value == 0.01
    # and if the file asks no more for it, what was shown of it and not changed is forgotten
    assert overridden(spec(), filled(compared), SOURCE) == (spec(), None)


def test_resolve_asks_for_what_was_changed_and_refuses_what_is_wrong(ti: Any, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(yaml.safe_dump(DATA))
    operator = ResolveOperator(task_id="resolve", spec=str(tmp_path / "m.yaml"), form=True)
    ti.conf = {"gate.max_drop": 0.5}
    request = operator.request(RunRecords(ti))
    assert request.spec.gate.max_drop == 0.5
    assert request.overrides == Overrides(changes=(Change(key="gate.max_drop", spec=0.02, run=0.5),))
    ti.conf = {"gate.max_drop": 5}
    with pytest.raises(AirflowFailException, match=r"gate\.max_drop: expected at most 1 for top1"):
        operator.execute({"ti": ti})
    assert ti.pushed("failure")["kind"] == "bad_input"
