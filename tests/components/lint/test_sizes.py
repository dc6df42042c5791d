"""Values of very different size in one tensor: masks, columns of tables, and what shares a unit and is let be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from litegate.lint.sizes import large_constant, uneven
from litegate.lint.summary import Collector, summary_of
from litegate.records import DataFinding

Array = np.ndarray[Any, np.dtype[Any]]
RANDOM = np.random.default_rng(5)


def findings(values: Array) -> list[DataFinding]:
    found = summary_of(values.astype(np.float32))
    assert found is not None
    return list(uneven("serve/x", found, values.shape[1:]))


def table(*widths: float, rows: int = 100) -> Array:
    return RANDOM.uniform(0, 1, (rows, len(widths))) * np.array(widths)


def masked(value: float, others: float = 1.0, share: float = 0.3) -> Array:
    rows = RANDOM.uniform(-others, others, (100, 12))
    return np.where(RANDOM.uniform(size=rows.shape) < share, value, rows)


PIXELS = np.clip(RANDOM.uniform(0, 1, (100, 28, 28)) * np.hanning(28), 0, 1)


@dataclass(frozen=True, kw_only=True)
class Row:
    id: str
    values: Array
    code: str | None = None


ROWS = (
    Row(id="a table as it comes", values=table(1, 90, 200_000), code="uneven_columns"),
    Row(id="the same in time", values=table(1, 200_000, rows=800).reshape(100, 8, 2), code="uneven_columns"),
    Row(id="an additive mask", values=masked(-1e9), code="large_values"),
    Row(id="a mask and nothing else", values=masked(-1e9, others=0), code="large_values"),
    Row(id="the mask of BERT", values=masked(-10_000, others=0), code="large_values"),
    Row(id="the least number that there is", values=masked(float(np.finfo(np.float32).min)), code="large_values"),
    Row(id="columns alike", values=table(1, 2, 20)),
    Row(id="a column that never changes", values=table(1, 0, 20)),
    Row(id="a mask of ones", values=masked(1.0, others=0)),
    Row(id="pixels, darker at the edge", values=PIXELS.reshape(100, -1)),
    Row(id="pixels from 0 to 255", values=np.round(255 * PIXELS)[..., np.newaxis]),
    Row(id="a large value or two", values=masked(-1e9, share=0.002)[:, :1]),
    Row(id="all the same", values=np.full((100, 3), 5e9)),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_what_one_scale_cannot_hold_is_a_warning(row: Row) -> None:
    assert [(each.severity, each.code) for each in findings(row.values)] == [("warning", row.code)] * bool(row.code)


def test_columns_are_named_with_the_steps_that_remain_to_them() -> None:
    (found,) = findings(table(1, 90, 200_000))
    assert found.input == "serve/x"
    assert found.numbers["lost"] == 2
    assert found.numbers["least_steps"] < 0.01
    assert "2 of 3 columns" in found.message
    assert "such as column 2" in found.message
    assert found.message.index("column 0") < found.message.index("column 1"), "the worst first"


def test_a_mask_is_said_with_its_value_and_the_steps_beside_it() -> None:
    (found,) = findings(masked(-1e9))
    assert "% of its values are -1e+09, and all others within -1" in found.message
    assert "3.92e+06 in int8" in found.message
    assert "as masks of attention are" in (said := large_constant("MUL #3 of main", -1e9).message)
    assert "-50" in said


def test_one_large_constant_among_others_is_no_mask() -> None:
    said = large_constant("SUB #0 of main", 2.96e6, among=True).message
    assert "as means and scales of raw columns are" in said
    assert "scale the columns alike" in said
    assert "mask" not in said


def test_samples_of_several_sizes_have_no_columns() -> None:
    collector = Collector()
    for row in table(1, 200_000):
        collector.add(row)
    collector.add(np.ones(3))
    assert list(uneven("x", collector.summary(), (2,))) == []
