"""The section `fine_tune`: what it adds to a run, and what targets allow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from litegate.errors import SpecError
from litegate.spec import Spec, load_spec, parse_spec
from litegate.spec.fine_tune import BASES
from litegate.variants import FINE_TUNED, FINE_TUNING, RECOVERED, TARGETS

DATA = {"uri": "x.npz", "format": "npz"}
TUNE = {"entry_point": "tuning:tune", "data": "train.npz"}


def spec(tune: Any = None, **keys: Any) -> Spec:
    given = {"model": {"name": "m", "uri": "m.keras"}, "calibration": DATA, "evaluation": DATA}
    return parse_spec(given | keys | ({} if tune is None else {"fine_tune": TUNE | tune}))


def test_it_makes_one_more_file_by_an_engine_of_its_own() -> None:
    found = spec({}, variants=["int8"], recover={}, candidates=[{"name": "mine", "uri": "mine.tflite"}])
    assert found.quantized_variants == ("int8", RECOVERED, FINE_TUNED, "mine")
    assert found.engine_of(FINE_TUNED) == FINE_TUNING
    assert FINE_TUNED not in spec(variants=["int8"]).quantized_variants


@pytest.mark.parametrize(
    ("target", "base"), [("cpu", "int8_float_fallback"), ("microcontroller", "int8"), ("edgetpu", "int8")]
)
def test_it_begins_with_what_the_target_runs(target: str, base: str) -> None:
    found = spec({}, target=target).fine_tune
    assert found
    assert found.base == base


def test_a_file_can_be_read_again_and_its_data_lie_beside_it(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(
        "model: {name: m, uri: m.keras}\n"
        "calibration: {uri: x.npz, format: npz}\nevaluation: {uri: x.npz, format: npz}\n"
        "fine_tune: {entry_point: 'tuning:tune', data: train.npz, arguments: {epochs: 3, rates: [0.1, 0.01]}}\n"
    )
    found = load_spec(tmp_path / "spec.yaml")
    assert Spec.model_validate(found.model_dump(mode="json")) == found
    assert found.fine_tune
    assert found.fine_tune.data == str(tmp_path / "train.npz")
    assert found.fine_tune.arguments == {"epochs": 3, "rates": [0.1, 0.01]}


@pytest.mark.parametrize(
    ("tune", "target", "said"),
    [
        (
            {"base": "int8_float_fallback"},
            "microcontroller",
            r"fine_tune.base: expected one that microcontroller runs \(int8, uint8\), got int8_float_fallback",
        ),
        ({}, "gpu", "fine_tune: expected null for the target gpu, which runs no file of 8 bits, got a training for"),
        ({}, "high_precision_integer", "fine_tune: expected null for the target high_precision_integer"),
        ({"base": "float16"}, "cpu", "fine_tune.base: expected 'int8_float_fallback', 'int8' or 'uint8'"),
        ({"entry_point": "tune"}, "cpu", "fine_tune.entry_point: expected"),
        ({"data": None}, "cpu", "fine_tune.data: expected"),
        ({"data": "ftp://host/x"}, "cpu", "fine_tune.data: expected"),
        ({"time_limit": 0}, "cpu", "fine_tune.time_limit: expected"),
        ({"epochs": 3}, "cpu", "fine_tune.epochs: expected one of the known keys"),
    ],
)
def test_what_does_not_fit_is_refused(tune: dict[str, Any], target: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        spec(tune, target=target)


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_has_a_base_or_no_training_at_all(target: str) -> None:
    if not TARGETS[target].runnable & set(BASES):
        with pytest.raises(SpecError, match="fine_tune"):
            spec({}, target=target)
        return
    found = spec({}, target=target).fine_tune
    assert found
    assert found.base in TARGETS[target].runnable


def test_the_name_is_taken() -> None:
    with pytest.raises(SpecError, match="names of their own, none twice and none of a variant, got fine_tuned"):
        spec(candidates=[{"name": FINE_TUNED, "uri": "mine.tflite"}])
