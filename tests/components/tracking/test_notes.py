"""The Markdown of the notes."""

from __future__ import annotations

import pytest

from litegate.records import BaselineSummary, Reason, VariantRow, Verdict
from litegate.tracking import notes

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
    reasons=("needs | more",),
    latency_ms=0.05,
    digest="0" * 64,
    uri=None,
    mlflow_run_id=None,
)


def test_the_table_has_one_line_for_each_variant_and_empty_cells_for_what_was_not_measured():
    nothing = {"bytes": None, "value": None, "drop": None, "drop_high": None, "latency_ms": None, "reasons": ()}
    table = notes.table(BASELINE, (ROW, ROW.model_copy(update={"variant": "uint8", **nothing})))
    assert table.splitlines() == [
        "| Variant | Verdict | top1 | Drop | Drop at most | KiB | Of float32 | ms | Why |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
        "| int8 | inconclusive | 0.8900 | 0.0100 | 0.0250 | 1.0 | 50 % | 0.05 | needs \\| more |",
        "| uint8 | inconclusive |  |  |  |  |  |  |  |",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n\n# b", "a # b"),
        ("![x](http://tracker/)", "!\\[x\\](http://tracker/)"),
        ("<img src=x onerror=y> & co", "&lt;img src=x onerror=y> &amp; co"),
        ("*loud* `code` int8_float", "\\*loud\\* \\`code\\` int8_float"),
    ],
)
def test_what_others_wrote_cannot_become_markup(text, expected):
    assert notes.plain(text) == expected


def test_a_long_reason_is_cut():
    verdict = Verdict(variant="int8", state="failed", reasons=(Reason(code="x", message="word " * 1000),))
    assert len(notes.variant_note(verdict)) < 300


def test_the_largest_table_fits_the_description_of_a_version():
    row = ROW.model_copy(update={"reasons": ("|" * 60 + " word" * 1000,), "variant": "int16x8_float_fallback"})
    assert len(notes.table(BASELINE, (row,) * 8)) < 5000
