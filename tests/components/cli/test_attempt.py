"""What a command says and writes when it ends before its run does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from litegate.cli.attempt import Attempt, reported
from litegate.cli.outcome import Outcome, failed
from litegate.errors import NoAnswer
from litegate.stack import Home, Stack
from litegate.stack.airflow_api import AirflowApi, RunId
from litegate.stack.processes import birth_of

RUN = RunId("quantize__tiny", "litegate-20260101T000000-abcd")
PAGE = "http://127.0.0.1:9/dags/quantize__tiny/runs/litegate-20260101T000000-abcd"
FOLLOW = f"litegate follow {RUN.run}"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Its servers run, as far as the record says: we are their supervisor."""
    home = Home(tmp_path / "home")
    home.prepare()
    own = {"pid": os.getpid(), "birth": birth_of(os.getpid()), "phase": "ready"}
    Stack.plan(home, {}).model_copy(update=own).write(home)
    return home


@pytest.fixture
def attempt(home: Home) -> Attempt:
    attempt = Attempt(home, "tiny")
    with AirflowApi("http://127.0.0.1:9", "secret") as airflow:
        attempt.follows(airflow, RUN, own=True)
    return attempt


def raising(error: BaseException) -> Callable[[], Outcome]:
    def work() -> Outcome:
        raise error

    return work


def ended(work: Callable[[], Outcome], attempt: Attempt, folder: Path) -> tuple[int, dict[str, Any]]:
    code = reported(work, attempt, folder / "out.json")
    return code, json.loads((folder / "out.json").read_text())


def test_giving_up_says_that_the_run_goes_on_and_how_to_follow_it(attempt, tmp_path, capsys):
    code, found = ended(raising(NoAnswer("Airflow gave no answer for 600 s")), attempt, tmp_path)

    assert (code, found["outcome"], found["error"]) == (1, "under_way", "Airflow gave no answer for 600 s")
    assert (found["run"], found["dag"], found["page"]) == (RUN.run, RUN.dag, PAGE)
    assert found["why"] == f"{RUN.run} of {RUN.dag} goes on in Airflow; follow it with `{FOLLOW}`"
    assert capsys.readouterr().err == f"error: {found['error']}\n{found['why']}\n"


def test_so_does_a_defect_of_ours(attempt, tmp_path, capsys):
    with pytest.raises(ZeroDivisionError):
        ended(raising(ZeroDivisionError("division")), attempt, tmp_path)
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["outcome"], found["run"]) == ("under_way", RUN.run)
    assert FOLLOW in capsys.readouterr().err


def test_so_does_an_interruption_that_did_not_end_the_run(attempt, tmp_path):
    attempt.own = False
    code, found = ended(raising(KeyboardInterrupt()), attempt, tmp_path)

    assert (code, found["outcome"], found["error"]) == (130, "under_way", "interrupted")
    assert FOLLOW in found["why"]


def test_an_interruption_that_ended_the_run_does_not_say_that_it_goes_on(attempt, tmp_path, capsys):
    attempt.over, attempt.interrupted = True, f"interrupted; {RUN.run} was ended"
    code, found = ended(raising(KeyboardInterrupt()), attempt, tmp_path)

    assert (code, found["outcome"], found["run"], found["why"]) == (130, "failed", RUN.run, None)
    assert capsys.readouterr().err == f"error: interrupted; {RUN.run} was ended\n"


@pytest.mark.parametrize("left", ["nothing", "a supervisor that stops", "a supervisor that died"])
def test_where_the_servers_are_gone_it_says_when_the_run_goes_on(attempt, home, left):
    stack = Stack.read(home)
    assert stack is not None
    match left:
        case "nothing":
            home.state.unlink()
        case "a supervisor that stops":
            stack.model_copy(update={"phase": "stopping"}).write(home)
        case _:
            stack.model_copy(update={"birth": stack.birth - 1}).write(home)
    assert "goes on in Airflow once the servers run again (`litegate start`); follow it with" in attempt.goes_on()


def test_a_run_whose_trigger_nobody_answered_may_have_begun(attempt):
    attempt.confirmed = False
    assert "may have begun in Airflow" in attempt.goes_on()


def test_a_home_that_is_not_the_usual_one_is_part_of_the_command(attempt, monkeypatch):
    monkeypatch.setenv("LITEGATE_HOME", "/elsewhere")
    assert attempt.goes_on().endswith(f"{FOLLOW} --home {attempt.home.root}`")


def test_an_example_that_is_being_trained_is_taken_up_by_the_demo(attempt):
    attempt.run = RunId("retrain__digits", RUN.run)
    assert attempt.goes_on().endswith("follow it with `litegate demo`")


def test_every_outcome_of_a_run_names_it(attempt, tmp_path):
    attempt.over = True
    code, found = ended(lambda: failed("tiny", "convert: died"), attempt, tmp_path)
    assert (code, found["outcome"], found["run"], found["page"]) == (1, "failed", RUN.run, PAGE)


def test_before_there_is_a_run_there_is_nothing_to_follow(home, tmp_path, capsys):
    code, found = ended(raising(NoAnswer("nothing")), Attempt(home, "tiny"), tmp_path)
    assert (code, found["outcome"], found["run"]) == (1, "failed", None)
    assert "follow" not in capsys.readouterr().err
