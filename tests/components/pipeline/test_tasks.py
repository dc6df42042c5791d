"""The registry of tasks: every step of a quantize run is found by what it is run for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from litegate.pipeline.requests import REQUESTS
from litegate.pipeline.tasks import EACH, REQUALIFICATION, TASKS, task_of
from litegate.steps import STEPS
from litegate.variants import BASELINE, CHAMPION

ROOT = Path(__file__).parents[3]


def test_no_task_is_there_twice() -> None:
    assert len({task.id for task in TASKS}) == len(TASKS)


@pytest.mark.parametrize(
    ("step", "variant", "task"),
    [
        ("resolve", "", "resolve"),
        ("gate", "", "gate"),
        ("evaluate", BASELINE, "evaluate"),
        ("evaluate", CHAMPION, "evaluate"),
        ("read_ledger", "", "resolve"),
        ("smoke", BASELINE, "check"),
        ("smoke", "int8", "quantize"),
        ("evaluate", EACH, "evaluate"),
        ("benchmark", "", "benchmark"),
        ("select", "", "gate"),
    ],
)
def test_a_task_is_found_by_its_step_and_what_that_works_on(step: str, variant: str, task: str) -> None:
    assert task_of(step, variant).id == task


def test_a_step_that_nobody_runs_for_this_has_no_task() -> None:
    with pytest.raises(KeyError):
        task_of("quantize", BASELINE)


def test_every_step_with_a_request_of_the_pipelines_has_a_task() -> None:
    run = {job.step for task in TASKS for job in task.jobs}
    assert set(REQUESTS) <= run
    assert run - set(STEPS) == {"assess", "select"}  # no steps: they need no process of their own


def test_no_other_module_spells_the_id_of_a_task_that_is_not_that_of_a_step() -> None:
    ids = {task.id for task in TASKS} - set(STEPS) - {"approve", "select"}  # words of other things too
    quoted = [f"[\"'](?:{re.escape(name)})[\"']" for name in ids]
    written = re.compile("|".join([*quoted, *(f'task_id="{step}"' for step in STEPS)]))
    sources = [path for folder in ("components", "operators", "dags") for path in (ROOT / folder).rglob("*.py")]
    found = {path.name for path in sources if written.search(path.read_text())}
    assert found <= {"tasks.py", "clean.py", "decide.py", "retrain.py"}, "all but the first stand alone"


def test_what_a_task_needs_comes_before_it() -> None:
    for tasks in (TASKS, REQUALIFICATION):
        before: set[str] = set()
        for task in tasks:
            assert set(task.needs) <= before, task.id
            before.add(task.id)


def test_every_page_says_what_its_task_leaves() -> None:
    assert all("**Leaves**" in task.page for task in TASKS)
