"""What `make bench` says of its figures, and where it keeps them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.benchmarks import bench
from tests.benchmarks.bench_context import Bench
from tests.benchmarks.benefits_part import CLAIMS, benefits
from tests.benchmarks.critical_path import TaskTime, critical_path, work_on
from tests.benchmarks.figures import Measured, line, replaced, table, write_page
from tests.benchmarks.profile_part import profile
from tests.benchmarks.rows import PARTS, ROWS, Row, measuring

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
NAME = "rerun_seconds"


def measured(value: float) -> Measured:
    return Measured(value, seconds=9.0, host="a machine")


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of the test's own in place of `build/`, and a page."""
    (tmp_path / "page.md").write_text(PAGE.read_text())
    monkeypatch.setattr(bench, "BUILD", tmp_path)
    monkeypatch.setattr(bench, "PAGE", tmp_path / "page.md")
    return tmp_path


def test_a_limit_may_be_the_largest_value_or_the_smallest() -> None:
    most, least = Row("", "", 0.5), Row("", "", 0.5, at_least=True)
    assert [most.reached(value) for value in (0.4, 0.5, 0.6)] == [True, True, False]
    assert [least.reached(value) for value in (0.4, 0.5, 0.6)] == [False, True, True]


def test_a_line_says_whether_the_limit_is_reached_or_that_nothing_was_measured() -> None:
    assert line(NAME, measured(7.123)).split() == [NAME, "7.12", "s", "<=", "8", "s", "reached", "9", "s"]
    assert "not reached" in line(NAME, measured(8.1))
    assert line(NAME, None).endswith("not measured")


def test_the_table_has_every_row_also_those_without_a_figure() -> None:
    rows = table({NAME: measured(7)}).splitlines()[2:]
    assert [row.split("`")[-2] for row in rows] == list(ROWS)
    assert sum(row.endswith("| not measured |") for row in rows) == len(ROWS) - 1


def test_only_the_measured_parts_of_the_page_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "profile.md").write_text("a\\profile\n")
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    write_page(page, {NAME: measured(7)}, tmp_path)
    written = page.read_text()
    assert "| 7 s | <= 8 s | reached |" in written
    assert "\n- a machine\n" in written
    assert "a\\profile" in written
    write_page(page, {NAME: measured(7)}, tmp_path)
    assert page.read_text() == written
    assert written.startswith(PAGE.read_text().partition("<!--")[0])


def test_a_part_without_a_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="measured: other"):
        replaced(PAGE.read_text(), {"other": ""})


def test_a_figure_is_written_as_soon_as_there_is_one_and_a_failure_is_absent(
    build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = Bench(build / "bench", quick=True)
    first, second, third = list(ROWS)[:3]
    seen = []

    def measure(name: str, _: Bench) -> Measured | None:
        seen.append(json.loads((build / "bench-quick.json").read_text()))
        return None if name == second else measured(1.5)

    monkeypatch.setattr(bench, "_measure", measure)
    bench._measure_all([first, second], context, {second: measured(2), third: measured(3)})
    assert seen == [{third: 3}, {first: 1.5, third: 3}]
    assert json.loads((build / "bench-quick.json").read_text()) == {first: 1.5, third: 3}
    assert (build / "page.md").read_text() == PAGE.read_text(), "small sizes are none for the page"


def test_a_row_that_fails_in_its_process_leaves_its_log_and_no_figure(tmp_path: Path, build: Path) -> None:
    context = Bench(tmp_path / "bench", quick=True)
    (context.folder / "once").mkdir(parents=True)
    (context.folder / "once" / "digits_script.json").write_text('{"error": "OSError: no room"}')
    assert bench._measure("small_pipeline_vs_script", context) is None
    assert (
        "has failed before: OSError: no room" in (context.folder / "rows" / "small_pipeline_vs_script.log").read_text()
    )


def test_what_rows_share_is_measured_once_and_fails_once(tmp_path: Path) -> None:
    context, calls = Bench(tmp_path), []

    def shared() -> int:
        calls.append(1)
        return 3

    def failing() -> int:
        calls.append(2)
        raise OSError("gone")

    assert [context.once("good", shared) for _ in range(2)] == [3, 3]
    with pytest.raises(OSError, match="gone"):
        context.once("bad", failing)
    with pytest.raises(RuntimeError, match="bad has failed before: OSError: gone"):
        context.once("bad", failing)
    assert calls == [1, 2]


def test_a_command_that_fails_says_what_it_said_last(tmp_path: Path) -> None:
    context = Bench(tmp_path)
    assert context.command(sys.executable, "-c", "raise SystemExit(3)", codes=(0, 3)) > 0
    with pytest.raises(RuntimeError, match="ended with 1: too late"):
        context.command(sys.executable, "-c", "raise SystemExit('too late')")


TASKS = [
    TaskTime("a", -1, 0, 2),
    TaskTime("b", 0, 3, 4),
    TaskTime("b", 1, 3, 9),
    TaskTime("c", 0, 5, 8),
    TaskTime("c", 1, 9, 10),
    TaskTime("d", -1, 12, 13),
]
UPSTREAM = {"a": frozenset(), "b": frozenset("a"), "c": frozenset("b"), "d": frozenset("cb")}


def test_the_critical_path_is_what_each_task_waited_for_longest() -> None:
    path = critical_path(TASKS, {name: frozenset(names) for name, names in UPSTREAM.items()})
    assert [(task.name, task.element) for task in path] == [("a", -1), ("b", 1), ("c", 1), ("d", -1)]
    assert work_on(path) == 2 + 6 + 1 + 1
    assert critical_path([], {}) == []


def test_every_part_has_its_place_on_the_page() -> None:
    assert all(f"<!-- measured: {name} -->" in PAGE.read_text() for name in PARTS)
    assert line("benefits", measured(0)).split() == ["benefits", "9", "s"]
    assert line("benefits", None).endswith("not measured")


def test_every_row_and_part_has_its_function() -> None:
    assert all(callable(measuring(row.function)) for row in ROWS.values())
    assert all(callable(measuring(function)) for function in PARTS.values())


def test_a_benefit_stands_beside_its_claim() -> None:
    text = benefits({"a": dict.fromkeys(CLAIMS, (3.96, 2.04)), "b": dict.fromkeys(CLAIMS, (1.0, 1.0))})
    assert "| `int8` | 4x smaller, 3x and more faster | 4.0x smaller, 2.0x faster | 1.0x smaller" in text


def test_an_element_that_waited_for_its_turn_waited_for_the_work_of_another() -> None:
    tasks = [TaskTime("a", -1, 0, 2), TaskTime("b", 0, 3, 6), TaskTime("b", 1, 3, 5), TaskTime("b", 2, 7, 9)]
    path = critical_path(tasks, {"a": frozenset(), "b": frozenset("a")})
    assert [(task.name, task.element) for task in path] == [("a", -1), ("b", 0), ("b", 2)]
    assert work_on(path) == 2 + 3 + 2


def test_the_profile_has_a_line_for_each_task_and_says_what_is_left() -> None:
    path = critical_path(TASKS, {name: frozenset(names) for name, names in UPSTREAM.items()})
    run = {"seconds": 15.0, "run_seconds": 13.0, "work_seconds": work_on(path)}
    text = profile(run | {"tasks": [vars(task) for task in TASKS], "path": [vars(task) for task in path]})
    assert "10.0 s of tasks on the critical path, and 3.0 s between them" in text
    assert "| `b` (2) | 3.0 s | 9.0 s | 7.0 s | yes |" in text
