"""Whether a file is to be recovered, by the verdicts on those before it."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.pipeline.recoveries import assessment
from litegate.records import Verdict, Verdicts
from litegate.spec import Spec, parse_spec

DATA = {"uri": "d.npz", "format": "npz"}


def spec(*variants: str, **more: Any) -> Spec:
    keys = {"model": {"name": "m", "uri": "m.keras"}, "calibration": DATA, "evaluation": DATA}
    return parse_spec(keys | {"variants": list(variants), "recover": {"base": "int8"}} | more)


def verdicts(**states: Any) -> Verdicts:
    rows = [Verdict(variant="float32", state="baseline"), *(Verdict(variant=k, state=v) for k, v in states.items())]
    return Verdicts(verdicts=tuple(rows))


@pytest.mark.parametrize(
    ("states", "needed", "why"),
    [
        ({"int8": "passed", "float16": "failed"}, False, "int8 passed"),
        ({"int8": "failed", "float16": "passed"}, True, "int8 failed"),
        ({"int8": "inconclusive", "float16": "passed"}, True, "int8 inconclusive"),
        ({"float16": "passed", "uint8": "failed"}, False, "float16 passed"),
        ({"float16": "failed", "uint8": "failed"}, True, "float16 failed, uint8 failed"),
    ],
)
def test_what_it_begins_with_decides_and_else_all_the_others(states: Any, needed: bool, why: str) -> None:
    found = assessment(spec(*states), "recovered", verdicts(**states))
    assert (found.variant, found.needed, found.why) == ("recovered", needed, why)


def test_one_of_several_engines_files_is_enough() -> None:
    states = {"int8": "failed", "int8.litert_quantizer": "passed"}
    found = assessment(spec("int8"), "recovered", verdicts(**states))
    assert (found.needed, found.why) == (False, "int8.litert_quantizer passed")


@pytest.mark.parametrize(
    ("states", "needed", "why"),
    [
        ({"int8": "failed", "recovered": "passed"}, False, "recovered passed"),
        ({"int8": "failed", "recovered": "failed"}, True, "int8 failed, recovered failed"),
        ({"int8": "failed", "recovered": "failed", "float16": "passed"}, True, "int8 failed, recovered failed"),
        ({"int8": "passed"}, False, "int8 passed"),
    ],
)
def test_a_training_comes_last(states: Any, needed: bool, why: str) -> None:
    trained = spec("int8", "float16", fine_tune={"entry_point": "m:f", "data": "t.npz", "base": "int8"})
    assert trained.recoveries == ("recovered", "fine_tuned")
    found = assessment(trained, "fine_tuned", verdicts(**states))
    assert (found.needed, found.why) == (needed, why)
