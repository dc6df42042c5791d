"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from litegate.presentation import wording
from litegate.presentation.wording import PERCENT, POINTS, RAW
from litegate.spec.metric_facts import BUILT_IN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (wording.value(0.92, percent=True), "92.00 %"),
        (wording.value(12.3456, percent=False), "12.35"),
        (wording.value(None, percent=True), "-"),
        (wording.value(math.nan, percent=True), "-"),
        (wording.amount(0.01, percent=True), "1.00 points"),
        (wording.amount(-0.00001, percent=True), "0.00 points"),
        (wording.amount(0.00421, percent=False), "0.00421"),
        (POINTS.number(0.01, sign="+"), "+1.00"),
        (wording.confidence(0.95), "95 %"),
        (wording.confidence(1 - 0.05 / 8), "99.375 %"),
        (wording.short_name("my.metrics:Blur"), "Blur"),
        (wording.short_name("top1"), "top1"),
        (wording.milliseconds(0.0089), "0.00890"),
        (wording.milliseconds(0.051234), "0.0512"),
        (wording.milliseconds(12.3456), "12.3"),
        (wording.milliseconds(1234.5), "1,234"),
        (wording.milliseconds(0.0), "0"),
        (wording.milliseconds(math.inf), "inf"),
        (wording.about(871), "871"),
        (wording.about(1188), "1,190"),
        (wording.about(2_767_191), "2,770,000"),
    ],
)
def test_numbers_and_names(text, expected):
    assert text == expected


@pytest.mark.parametrize(
    ("unit", "limit", "found", "digits"),
    [
        (POINTS, 0.01, (0.02,), 2),
        (POINTS, 0.01, (0.010004,), 4),
        (PERCENT, 0.01, (0.02, 0.0100001), 5),
        (RAW, 0.01, (0.01,), 2),
        (RAW, 0.01, (0.0100001,), 4),
        (RAW, 0.01, (math.nextafter(0.01, 1),), 9),
        (POINTS, 0.01, (), 2),
    ],
)
def test_a_number_beyond_a_limit_never_reads_as_the_limit_where_digits_can_help(unit, limit, found, digits):
    assert unit.apart(limit, *found) == digits


def test_only_shares_are_read_in_percent():
    assert [name for name, facts in BUILT_IN.items() if wording.is_percent(facts)] == [
        "top1", "binary_accuracy", "iou", "roc_auc", "average_precision", "macro_f1", "reconstruction_auc", "map50",
        "map50_95",
    ]  # fmt: skip
