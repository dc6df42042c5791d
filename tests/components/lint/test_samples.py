"""Findings about whole samples name them."""

from __future__ import annotations

from litegate.lint.samples import leakage


def test_what_calibrates_and_evaluates_is_named_by_both_identities() -> None:
    (one,) = leakage({"87": "444"}, 200, 800, 800)
    assert one.severity == "warning"
    assert one.message == "one calibration sample is also in the evaluation data: 87 = 444 (calibration = evaluation)"

    (many,) = leakage({str(at): str(2 * at) for at in range(20)}, 200, 300, 800)
    assert many.severity == "error"
    assert many.message.startswith(
        "20 of 200 calibration samples are also in the evaluation data (300 of its 800 samples were searched): 0 = 0, "
    )
    assert list(leakage({}, 200, 800, 800)) == []
