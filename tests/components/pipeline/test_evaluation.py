"""Which runtimes an evaluation asks for."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.pipeline.evaluation import control_of, host_of
from litegate.spec import Spec, parse_spec
from litegate.variants import ETHOS_U

DEVICE = {"device": {"name": "pi5", "evidence": "kept"}}


def spec(target: str, **evaluation: Any) -> Spec:
    data = {"uri": "data.npz", "format": "npz"}
    model = {"name": "m", "uri": "m.keras"}
    return parse_spec(
        {"model": model, "calibration": data, "evaluation": data | evaluation, "target": target}
        | ({"variants": ["int8"]} if evaluation.get("device") else {})
    )


@pytest.mark.parametrize("target", ["microcontroller", *ETHOS_U])
@pytest.mark.parametrize("part", [{"target_samples": 90}, {"first_samples": 50}])
def test_a_target_of_integers_that_sees_a_part_has_a_control_variate_with_its_arithmetic(
    target: str, part: dict[str, Any]
) -> None:
    for device in ({}, DEVICE):
        asked = spec(target, **part, **device)
        assert (host_of(asked), control_of(asked)) == ("litert", "litert_arithmetic")


@pytest.mark.parametrize(
    ("target", "evaluation"),
    [
        ("microcontroller", {}),
        ("microcontroller", {"target_samples": 90, "sequential": True}),
        ("gpu", {"target_samples": 90}),
        ("cpu", {"first_samples": 50}),
        ("cpu", {"target_samples": 90, **DEVICE}),
    ],
)
def test_others_have_the_host_or_need_none(target: str, evaluation: dict[str, Any]) -> None:
    assert control_of(spec(target, **evaluation)) is None
