"""All variants side by side."""

from __future__ import annotations

from litegate.presentation.results_note import results
from litegate.records import BaselineSummary, VariantRow

BASELINE = BaselineSummary(bytes=2048, metric="top1", value=0.9, samples=100)
ROW = VariantRow(
    variant="int8",
    bytes=1024,
    value=0.89,
    drop=0.01,
    drop_low=-0.005,
    drop_high=0.025,
    samples=100,
    verdict="inconclusive",
    sentence="int8 is undecided: it needs | more",
    reasons=("needs | more",),
    latency_ms=0.05,
    digest="0" * 64,
    uri=None,
    mlflow_run_id=None,
)


def narrow(note: str) -> list[str]:
    """The lines of a note, without the gaps between the columns of its tables."""
    return note.replace(" &nbsp; |", " |").splitlines()


def test_the_table_has_one_line_for_each_variant_and_empty_cells_for_what_was_not_measured():
    nothing = {
        "bytes": None,
        "value": None,
        "drop": None,
        "drop_low": None,
        "drop_high": None,
        "latency_ms": None,
        "sentence": "",
    }
    unmeasured = ROW.model_copy(update={"variant": "uint8", "samples": 0, **nothing})
    assert narrow(results(BASELINE, (ROW, unmeasured))) == [
        "| Variant | Verdict | top1 | Drop, points | At least | At most | Samples | KiB | Of float32 | ms |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| int8 | inconclusive | 89.00 % | +1.00 | -0.50 | +2.50 | 100 | 1.0 | 50 % | 0.0500 |",
        "| uint8 | inconclusive |  |  |  |  |  |  |  |  |",
        "",
        "- int8 is undecided: it needs \\| more",
        "- uint8 inconclusive",
    ]


def test_what_a_lower_is_better_metric_loses_is_called_a_loss_and_its_numbers_are_raw():
    baseline = BaselineSummary(
        bytes=2048, metric="my.metrics:Blur", higher_is_better=False, percent=False, value=12.345678, samples=100
    )
    row = ROW.model_copy(update={"value": 12.345678, "drop": 1.23456e-5, "drop_low": None, "drop_high": None})
    lines = narrow(results(baseline, (row,)))
    assert lines[0].startswith("| Variant | Verdict | Blur | Loss | At least | At most | Samples |")
    assert lines[2].startswith("| int8 | inconclusive | 12.35 | +1.235e-05 |  |  | 100 |")


def test_the_largest_table_fits_the_description_of_a_version():
    row = ROW.model_copy(update={"sentence": "|" * 60 + " word" * 1000, "variant": "int16x8_float_fallback"})
    assert len(results(BASELINE, (row,) * 8)) < 5000
