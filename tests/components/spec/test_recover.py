"""The section `recover`: what it adds to a run, and what targets allow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from litegate.errors import SpecError
from litegate.spec import Spec, load_spec, parse_spec
from litegate.spec.recover import BASES
from litegate.variants import RECOVERED, RECOVERY, TARGETS

DATA = {"uri": "x.npz", "format": "npz"}


def spec(recover: Any = None, **keys: Any) -> Spec:
    given = {"model": {"name": "m", "uri": "m.keras"}, "calibration": DATA, "evaluation": DATA}
    return parse_spec(given | keys | ({} if recover is None else {"recover": recover}))


def test_it_makes_one_more_file_by_an_engine_of_its_own() -> None:
    found = spec({}, variants=["int8"], candidates=[{"name": "mine", "uri": "mine.tflite"}])
    assert found.quantized_variants == ("int8", RECOVERED, "mine")
    assert found.engine_of(RECOVERED) == RECOVERY
    assert RECOVERED not in spec(variants=["int8"]).quantized_variants


def test_it_begins_with_what_the_target_runs() -> None:
    on_a_host, on_a_device = spec({}).recover, spec({}, target="microcontroller").recover
    assert on_a_host
    assert on_a_device
    assert (on_a_host.base, on_a_host.may_use) == ("int8_float_fallback", ["float32"])
    assert (on_a_device.base, on_a_device.may_use) == ("int8", ["int16x8"])


def test_what_is_said_counts() -> None:
    found = spec({"max_steps": 3}, target="microcontroller").recover
    assert found
    assert (found.max_steps, found.base) == (3, "int8")


def test_a_file_can_be_read_again_as_it_was_parsed(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(
        "model: {name: m, uri: m.keras}\n"
        "calibration: {uri: x.npz, format: npz}\nevaluation: {uri: x.npz, format: npz}\n"
        "recover: {budget_minutes: 2, may_use: [int16x8]}\n"
    )
    found = load_spec(tmp_path / "spec.yaml")
    assert Spec.model_validate(found.model_dump(mode="json")) == found
    assert found.recover
    assert found.recover.may_use == ["int16x8"]


@pytest.mark.parametrize(
    ("recover", "target", "said"),
    [
        (
            {"may_use": ["float32"]},
            "microcontroller",
            r"recover.may_use: expected what microcontroller runs \(int16x8\) and computes on integers alone, got",
        ),
        ({"may_use": ["int4"]}, "ethos-u55-128", r"recover.may_use: expected what ethos-u55-128 runs \(int16x8\)"),
        (
            {"base": "dynamic_range"},
            "microcontroller",
            r"recover.base: expected one that microcontroller runs \(int8\)",
        ),
        ({}, "edgetpu", "recover: expected null for the target edgetpu, which runs no file of mixed precision"),
        ({}, "gpu", "recover: expected null for the target gpu"),
        ({}, "high_precision_integer", "recover: expected null for the target high_precision_integer"),
        ({"may_use": []}, "cpu", "recover.may_use: expected at least one precision, none of them twice"),
        ({"may_use": ["int4", "int4"]}, "cpu", "recover.may_use: expected at least one precision"),
        ({"may_use": ["int2"]}, "cpu", r"recover.may_use.0: expected 'float32', 'int16x8' or 'int4'"),
        ({"base": "float16"}, "cpu", "recover.base: expected 'int8_float_fallback', 'int8' or 'dynamic_range'"),
        ({"budget_minutes": 26}, "cpu", "recover.budget_minutes: expected"),
        ({"steps": 3}, "cpu", "recover.steps: expected one of the known keys"),
    ],
)
def test_what_does_not_fit_is_refused(recover: dict[str, Any], target: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        spec(recover, target=target)


@pytest.mark.parametrize("target", [name for name, target in TARGETS.items() if target.integers])
def test_no_float_is_ever_searched_for_integers_alone(target: str) -> None:
    for base in BASES:
        with pytest.raises(SpecError, match="recover"):
            spec({"base": base, "may_use": ["float32", "int16x8"]}, target=target)


def test_its_name_is_not_free() -> None:
    with pytest.raises(SpecError, match="names of their own, none twice and none of a variant, got recovered"):
        spec(candidates=[{"name": RECOVERED, "uri": "mine.tflite"}])
