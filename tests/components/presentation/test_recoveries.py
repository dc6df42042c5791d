"""What a recovery is said to be."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.presentation.recoveries import ended, named, recovered
from litegate.records import BiasCorrection, Equalization, FileRef, OperatorPrecision, Recovery, Tuned

BASE = Tuned(disagreement=0.9, error=0.8, bytes=20_000, milliseconds=0.01)


def lifted(number: int, precision: str = "float32", layer: str = "") -> OperatorPrecision:
    return OperatorPrecision.model_validate(
        {"operator": f"CONV_2D #{number} of main", "layer": layer, "precision": precision}
    )


def recovery(**changes: Any) -> Recovery:
    known: dict[str, Any] = {
        "base": "int8",
        "limit": 0.01,
        "range_samples": 50,
        "tuning_samples": 50,
        "before": BASE,
        "after": BASE.model_copy(update={"disagreement": 0.0, "error": 0.1, "bytes": 29_672}),
        "met": True,
        "ended": "done",
        "combinations": 31,
        "precisions": (lifted(1, layer="b"), lifted(3, "int16x8")),
        "ranking": (),
        "steps": (),
    }
    return Recovery.model_validate(known | changes)


def test_it_says_what_was_changed_what_that_cost_and_what_it_brought() -> None:
    assert recovered(recovery()) == (
        "float32 for CONV_2D #1 of main (b); int16x8 for CONV_2D #3 of main; 9,672 bytes more than int8; on 50 tuning "
        "samples 0 % in place of 90 % are predicted otherwise than by float32, at most 1 % asked for"
    )


def test_equalization_is_told_first_and_its_gain_counts() -> None:
    ruined = BASE.model_copy(update={"disagreement": 0.9})
    file = FileRef(name="equalized.tflite", digest="1" * 64, bytes=30_000)
    one = Equalization(pairs=1, difference=1e-6, before=ruined, file=file)
    better = BASE.model_copy(update={"disagreement": 0.002})
    found = recovered(recovery(equalization=one, before=better, after=better, precisions=()))
    assert found == (
        "channels equalized between 1 pair of layers, which took the loss of int8 from 90 % to 0.2 %; all else as in "
        "int8; on 50 tuning samples 0.2 % in place of 90 % are predicted otherwise than by float32, at most 1 % asked "
        "for"
    )


def test_corrected_biases_are_told_by_what_they_brought() -> None:
    file = FileRef(name="prepared.tflite", digest="1" * 64, bytes=30_000)
    whole = recovery()
    worse = whole.after.model_copy(update={"disagreement": 0.1})
    found = recovered(recovery(correction=BiasCorrection(layers=4, before=worse, file=file)))
    assert (
        "(b); int16x8 for CONV_2D #3 of main; biases of 4 layers corrected, which took the loss from 10 % to 0 %"
        in found
    )
    further = whole.after.model_copy(update={"error": 0.4})
    found = recovered(recovery(correction=BiasCorrection(layers=1, before=further, file=file)))
    assert "biases of 1 layer corrected, which took the error from 40 % to 10 %; 9,672 bytes more" in found


def test_a_limit_that_was_missed_is_said() -> None:
    assert recovered(recovery(met=False)).endswith("at most 1 % asked for, which was not reached")


def test_where_nothing_was_changed_that_is_said() -> None:
    found = recovered(recovery(precisions=(), after=BASE))
    assert found.startswith("nothing was changed of int8; on 50 tuning samples 90 % in place of 90 %")


def test_without_classes_outputs_are_off() -> None:
    before, after = (BASE.model_copy(update={"disagreement": None, "error": error}) for error in (0.4, 0.02))
    assert "the outputs are off by 2 % in place of 40 %" in recovered(recovery(before=before, after=after))


def test_a_smaller_file_is_smaller() -> None:
    smaller = BASE.model_copy(update={"bytes": 19_000})
    assert "1,000 bytes less than int8" in recovered(recovery(after=smaller))


def test_of_many_operators_the_first_are_named() -> None:
    assert named([lifted(number) for number in range(6)]) == (
        "CONV_2D #0 of main, CONV_2D #1 of main, CONV_2D #2 of main, CONV_2D #3 of main and 2 more"
    )


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("done", "nothing more was to be gained"),
        ("steps", "max_steps"),
        ("time", "another host"),
        ("nothing_helps", "nothing that could be tried helped"),
    ],
)
def test_why_it_ended_is_said(why: str, said: str) -> None:
    assert said in ended(recovery(ended=why))
