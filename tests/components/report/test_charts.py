"""The charts: what they show stays legible, whatever the numbers are."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import pytest

from litegate.report.charts import Interval, Point, Stack, intervals, stacks, tradeoff
from litegate.report.charts.boxes import Box, placed
from litegate.report.charts.scale import span

POINT = Point(name="int8", cost=100.0, loss=0.2, low=-0.3, high=0.7, state="passed", front=True, selected=False)
FRAME = Box(200, 150, 400, 300)


def texts(svg: str) -> list[str]:
    return re.findall(r"<text [^>]*>([^<]*)</text>", svg)


def draw(*points: Point, limit: float = 1.0) -> str:
    return tradeoff("size", points, limit, ("KiB", "points"), ".2f", "what it shows")


def test_every_variant_is_named_on_the_chart_even_where_all_are_in_one_place():
    names = ("float32", "dynamic_range", "float16", "int8_float_fallback", "int8", "uint8", "int16x8")
    svg = draw(*(replace(POINT, name=name) for name in names))
    assert set(names) <= set(texts(svg))
    assert svg.startswith('<svg viewBox="')
    assert 'role="img" aria-label="what it shows"><title>what it shows</title>' in svg


def test_what_is_far_out_is_named_with_its_loss_and_does_not_squeeze_the_rest():
    svg = draw(POINT, replace(POINT, name="uint8", loss=62.5, low=60.0, high=65.0, state="failed"))
    assert "uint8: +62.50" in texts(svg)
    numbers = [float(text.replace("\u2212", "-")) for text in texts(svg) if re.fullmatch(r"[\u2212\d.]+", text)]
    assert max(number for number in numbers if number < 50) <= 6


@pytest.mark.parametrize(
    "points",
    [
        (POINT,),
        (replace(POINT, loss=0.0, low=0.0, high=0.0),),
        (replace(POINT, low=None, high=None), replace(POINT, cost=1e6)),
        (replace(POINT, loss=1e-9, low=-1e-9, high=2e-9), replace(POINT, cost=0.001)),
        (replace(POINT, loss=-90.0, low=-95.0, high=-80.0),),
    ],
)
@pytest.mark.parametrize("limit", [0.0, 1e-6, 1.0])
def test_no_number_breaks_a_chart(points, limit):
    assert draw(*points, limit=limit).endswith("</svg>")


@pytest.mark.parametrize("found", [0.2, 80.0, -80.0])
def test_an_interval_shows_its_value_where_it_is_off_the_scale(found):
    rows = [
        Interval(name="int8", found=found, low=None, high=None, state="failed"),
        Interval(name="uint8", found=0.1, low=0.0, high=0.3, state="passed"),
    ]
    svg = intervals("clause", rows, 1.0, "points", ".2f", "words")
    assert {"int8", "uint8", "points"} <= set(texts(svg))
    assert (f"{found:+.2f}" in texts(svg)) == (abs(found) > 1)


def test_a_bar_says_how_large_it_is_and_the_kinds_differ_by_pattern():
    bars = [Stack("int8", {"weights": 80.0, "biases": 5.0}, "85.0 KiB")]
    svg = stacks("bytes", bars, ("weights", "biases"), "KiB", "words")
    assert {"int8", " 85.0 KiB", "weights", "biases"} <= set(texts(svg))
    assert "<pattern" in svg


@dataclass(frozen=True, kw_only=True)
class Scale:
    id: str
    found: list[tuple[float, float | None, float | None]]
    limit: float
    ends: tuple[float, float]


SCALES = (
    Scale(id="everything near", found=[(0.2, -0.5, 0.7)], limit=1, ends=(-0.5, 1)),
    Scale(id="an interval beyond the limit", found=[(0.2, -0.5, 3.0)], limit=1, ends=(-0.5, 3)),
    Scale(id="far out is left out", found=[(0.2, 0.1, 0.3), (60, 50, 70)], limit=1, ends=(0, 1)),
    Scale(id="a wide interval is cut", found=[(0.2, -40, 40)], limit=1, ends=(-6, 6)),
    Scale(id="all far out", found=[(60, 50, 70)], limit=1, ends=(0, 70)),
    Scale(id="no bounds", found=[(0.2, None, None)], limit=1, ends=(0, 1)),
    Scale(id="nothing may be lost", found=[(5, -1, 9)], limit=0, ends=(-1, 9)),
)


@pytest.mark.parametrize("case", SCALES, ids=lambda case: case.id)
def test_a_scale_reaches_as_far_as_what_is_near_the_limit(case):
    assert span(case.found, case.limit) == case.ends


def test_names_lie_neither_on_each_other_nor_on_marks_and_stay_within_the_frame():
    marks = [Box(50 + 3 * place, 150, 20, 18) for place in range(8)]
    wanted = [Box(mark.x + 60, mark.y, 90, 15) for mark in marks]
    found = placed(marks, wanted, [Box(200, 150, 400, 3)], FRAME)

    for place, box in enumerate(found):
        assert not any(box.meets(other) for other in (*found[:place], *marks, Box(200, 150, 400, 3)))
        assert box.left >= 0
        assert box.left + box.width <= 400
        assert abs(box.y - 150) <= 150


def test_a_name_stays_where_it_is_wanted_if_nothing_is_in_its_way():
    wanted = [Box(110, 200, 90, 15)]
    assert placed([Box(50, 200, 20, 18)], wanted, [], FRAME) == wanted


def test_a_full_chart_still_names_everything():
    crowd = [Box(200, 150, 400, 300)]
    (box,) = placed([Box(10, 10, 20, 18)], [Box(60, 10, 90, 15)], crowd, FRAME)
    assert math.isfinite(box.x)


def test_a_name_is_not_put_beyond_its_neighbour_where_it_would_seem_to_name_that():
    marks = [Box(300, 150, 20, 18), Box(310, 150, 20, 18)]
    wanted = [Box(345, 150, 60, 15), Box(355, 150, 60, 15)]
    first, second = placed(marks, wanted, [], FRAME)

    assert not (first.y == 150 and first.left > 310)
    assert second == wanted[1]
