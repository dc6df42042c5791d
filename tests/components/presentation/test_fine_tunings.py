"""What a training for quantization is said to be."""

from __future__ import annotations

from typing import Any

from litegate.presentation.fine_tunings import fine_tuned
from litegate.records import FileRef, FineTuning
from tests.components.presentation.test_recoveries import BASE


def fine_tuning(**changes: Any) -> FineTuning:
    known: dict[str, Any] = {
        "base": "int8",
        "layers": ("first", "last"),
        "left": ("rows (LSTM)",),
        "samples": 200,
        "before": BASE,
        "after": BASE.model_copy(update={"disagreement": 0.005, "error": 0.1}),
        "seconds": 12.4,
        "model": FileRef(name="fine_tuned.keras", digest="1" * 64, bytes=9),
        "float32": FileRef(name="fine_tuned_float32.tflite", digest="2" * 64, bytes=9),
    }
    return FineTuning.model_validate(known | changes)


def test_it_says_what_was_trained_and_what_that_brought() -> None:
    assert fine_tuned(fine_tuning()) == (
        "trained for 12 s as int8, with 8 bits simulated in 2 layers; on 200 calibration samples 0.5 % in place of "
        "90 % are predicted otherwise than by float32"
    )


def test_without_classes_it_is_told_by_the_error() -> None:
    before, after = (BASE.model_copy(update={"disagreement": None, "error": error}) for error in (0.4, 0.02))
    said = fine_tuned(fine_tuning(layers=("only",), before=before, after=after))
    assert "in 1 layer; on 200 calibration samples the outputs are off by 2 % in place of 40 %" in said
