"""docs/isolation.md says of every step what the code does with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from litegate.execution.confinement import child_environment, confinement
from litegate.failures import FailureKind, Retry
from litegate.records import Record
from litegate.settings import Settings
from litegate.steps import STEPS

PAGE = (Path(__file__).parents[4] / "docs" / "isolation.md").read_text()
OWNERS = {"AIRFLOW__CORE__FERNET_KEY": "Airflow", "MLFLOW_TRACKING_PASSWORD": "MLflow", "AWS_SECRET_ACCESS_KEY": "S3"}
OWNERS |= {"LITEGATE_SIGNING_KEY": "signing"}


def test_the_table_has_each_step_once() -> None:
    section = PAGE.partition("## Which steps are confined")[2].partition("## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.M) == list(STEPS)


@pytest.mark.parametrize("name", STEPS)
def test_the_table_says_what_a_step_may_do(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*OWNERS, "MY_TOKEN"):
        monkeypatch.setenv(variable, "secret")
    step = STEPS[name]
    environment = child_environment(step, tmp_path)
    withheld = [owner for variable, owner in OWNERS.items() if variable not in environment]
    named = " and ".join(filter(None, (", ".join(withheld[:-1]), withheld[-1])))
    secrets = f"the worker's, but for those of {named}" if "MY_TOKEN" in environment else "none"
    places = Settings(str(tmp_path / "workspace"), tmp_path / "cache", tmp_path / "scratch", {})
    given = confinement(step, Record(), tmp_path / "scratch" / "step", places)
    assert given.write == (str(tmp_path / "scratch" / "step"),)
    confined, network, writes = ("yes", "none", "its work folder") if given.confined else OPEN
    (row,) = re.findall(rf"^\| `{name}` \| (.*) \|$", PAGE, re.M)
    assert row.split(" | ") == [confined, network, secrets, writes]


OPEN = ("no", "the host's", "what the worker's user may")


TRIED_AGAIN = {Retry.NEVER: "no", Retry.AT_ONCE: "within the task", Retry.LATER: "by Airflow"}


def test_the_table_of_failures_says_of_each_kind_what_happened_and_what_is_tried_again() -> None:
    section = PAGE.partition("## How a step can fail")[2].partition("\n## ")[0]
    rows = [tuple(row) for row in re.findall(r"^\| `(\w+)` \| (.*) \| ([\w ]+) \|$", section, re.M)]
    assert rows == [(kind.value, kind.__doc__, TRIED_AGAIN[kind.retry]) for kind in FailureKind]


def test_every_variable_is_on_the_page_and_is_read() -> None:
    section = PAGE.partition("## Settings")[2].partition("## ")[0]
    named = set(re.findall(r"^\| `(LITEGATE_\w+)` \|", section, re.M))
    source = (Path(confinement.__code__.co_filename)).read_text()
    assert named == set(re.findall(r"\"(LITEGATE_\w+)\"", source))
