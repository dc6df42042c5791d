"""What a step takes among what was tried, and what the search comes to on a model that 8 bits ruin."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from litegate.engines.engine import Refused
from litegate.inspection import read_file
from litegate.inspection.scheme import count as counts_of
from litegate.records import Recovery, Tuned
from litegate.recovery.search import Option, best_of

LIMIT = 0.01
BASE = Tuned(disagreement=0.5, error=0.4, bytes=1000, milliseconds=1)


def option(disagreement: float, size: int, error: float = 0.4, number: int = 0) -> Option:
    return Option({number: "float32"}, Tuned(disagreement=disagreement, error=error, bytes=size, milliseconds=1))


def test_the_smallest_within_the_limit_is_taken() -> None:
    options = [option(0.0, 3000, number=1), option(0.01, 2000, number=2), option(0.02, 1001, number=3)]
    assert best_of(BASE, options, LIMIT) is options[1]


def test_outside_of_it_what_gains_most_for_its_bytes() -> None:
    options = [option(0.1, 5000, number=1), option(0.4, 1100, number=2), option(0.3, 1500, number=3)]
    assert best_of(BASE, options, LIMIT) is options[1]


def test_errors_count_only_where_no_prediction_is_better() -> None:
    smoother = option(0.5, 1010, error=0.1)
    assert best_of(BASE, [smoother, option(0.49, 9000, number=1)], LIMIT) is not smoother
    assert best_of(BASE, [smoother, option(0.6, 1001, error=0.0, number=1)], LIMIT).precisions == {1: "float32"}
    assert best_of(BASE, [smoother, option(0.5, 1010, error=0.5, number=1)], LIMIT) is smoother


def test_what_makes_nothing_better_is_not_taken() -> None:
    assert best_of(BASE, [option(0.5, 900), option(0.6, 800, error=0.5)], LIMIT) is None


Search = Callable[..., tuple[bytes, Recovery]]


@pytest.mark.e2e
def test_a_model_that_8_bits_ruin_is_recovered_for_a_part_of_its_bytes(
    search: Search, collapsing: Path, lost: Callable[[bytes], float]
) -> None:
    content, found = search()
    assert found.before.loss > 0.1
    assert (found.met, found.ended) == (True, "done")
    assert lost(content) < 1
    float32 = len((collapsing / "collapsing.tflite").read_bytes())
    assert found.before.bytes < found.after.bytes == len(content) < 0.6 * float32
    layers = {each.layer.rpartition("/")[2].removesuffix("_1") for each in found.precisions}
    assert layers <= {"spread", "pool", "gather"}, "the operators around the tensor with the large channels"
    assert layers >= {"spread", "gather"}
    assert (found.range_samples, found.tuning_samples) == (100, 100)


@pytest.mark.e2e
def test_the_operator_that_is_to_blame_stands_first(search: Search) -> None:
    _, found = search()
    worst = found.ranking[0]
    assert "spread" in worst.layer
    assert worst.in_float is not None
    assert worst.around is not None
    assert worst.in_float.loss > 0.1, "alone in float its output is rounded again"
    assert worst.around.loss < 0.05
    assert worst.around.bytes > found.before.bytes
    assert [each.added for each in found.ranking] == sorted((each.added for each in found.ranking), reverse=True)


@pytest.mark.e2e
def test_each_step_begins_where_the_one_before_has_ended(search: Search) -> None:
    _, found = search()
    now = found.before
    for step in found.steps:
        assert step.before == now
        now = step.after if step.kept else now
    assert now == found.after
    assert any(not step.kept for step in found.steps), "what is needed is not taken back"


@pytest.mark.e2e
def test_the_same_search_gives_the_same_bytes_in_any_order(search: Search) -> None:
    assert search()[0] == search(turned=True)[0]


@pytest.mark.e2e
def test_four_bits_make_it_smaller_as_long_as_enough_is_kept(search: Search, collapsing: Path) -> None:
    (without, _), (content, found) = search(limit=0.03), search(limit=0.03, may_use=["float32", "int16x8", "int4"])
    assert found.met
    assert len(content) < len(without)
    assert "int4" in {each.precision for each in found.precisions}
    assert counts_of(read_file(content)).stored.get("int4", 0) > 0


@pytest.mark.e2e
def test_without_floats_16_bits_are_what_is_left(search: Search) -> None:
    content, found = search(limit=0.2, base="int8_float_fallback", may_use=["int16x8"])
    assert found.after.loss < found.before.loss
    assert {each.precision for each in found.precisions} == {"int16x8"}
    assert counts_of(read_file(content)).integer["int16"] > 0


@pytest.mark.e2e
def test_weights_alone_need_only_the_operator_that_has_them(search: Search) -> None:
    _, found = search(base="dynamic_range")
    assert found.met
    (only,) = found.precisions
    assert "gather" in only.layer


@pytest.mark.e2e
def test_a_file_that_loses_little_is_left_as_it_is(search: Search, collapsing: Path) -> None:
    content, found = search(content=(collapsing / "steady.tflite").read_bytes(), limit=0.1)
    assert (found.met, found.ended, found.steps, found.precisions) == (True, "done", (), ())
    assert found.after == found.before
    assert len(content) == found.before.bytes


@pytest.mark.e2e
def test_time_ends_it_with_the_best_so_far(search: Search) -> None:
    ticks = count()
    both = ["float32", "int16x8"]
    _, found = search(clock=lambda: next(ticks), budget_minutes=0.05, may_use=both)
    assert found.ended == "time"
    assert found.combinations <= 3, "the base and what the clock of three seconds allows"
    _, whole = search(may_use=both)
    assert found.after.loss <= found.before.loss
    assert whole.after.bytes < found.after.bytes, "nothing was taken back"


@pytest.mark.e2e
def test_steps_end_it_where_the_limit_is_not_reached(search: Search) -> None:
    _, found = search(limit=0.0, may_use=["int16x8"], max_steps=1)
    assert (found.met, found.ended) == (False, "steps")
    assert sum(step.kept for step in found.steps) == 1


@pytest.mark.e2e
def test_a_model_that_the_quantizer_cannot_calibrate_is_refused(search: Search) -> None:
    with pytest.raises(Refused, match="LiteRT's quantizer refused recovered"):
        search(content=b"\x1c\x00\x00\x00TFL3" + bytes(100))
