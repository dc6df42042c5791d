from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from litegate.stack.home import Home
from litegate.stack.processes import birth_of
from litegate.stack.state import Stack


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.prepare()
    return home


@dataclass(frozen=True, kw_only=True)
class PlanCase:
    id: str
    environment: dict[str, str]
    embedded: bool
    workspace: str
    s3_url: str | None = None


PLANS = (
    PlanCase(id="nothing set", environment={}, embedded=True, workspace="HOME/workspace"),
    PlanCase(
        id="the user's S3",
        environment={"AWS_ENDPOINT_URL_S3": "https://s3.example"},
        embedded=False,
        workspace="HOME/workspace",
        s3_url="https://s3.example",
    ),
    PlanCase(
        id="the user's S3 by the general variable, with a workspace on it",
        environment={"AWS_ENDPOINT_URL": "https://s3.example", "LITEGATE_WORKSPACE": "s3://mine/x"},
        embedded=False,
        workspace="s3://mine/x",
        s3_url="https://s3.example",
    ),
    PlanCase(
        id="our own endpoint, left in the shell by `litegate env`",
        environment={"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1", "LITEGATE_EMBEDDED_S3": "http://127.0.0.1:1"},
        embedded=True,
        workspace="HOME/workspace",
    ),
)


@pytest.mark.parametrize("case", PLANS, ids=lambda case: case.id)
def test_a_plan_uses_the_users_s3_server_if_the_environment_names_one(case, home):
    stack = Stack.plan(home, case.environment)

    assert stack.embedded_s3 is case.embedded
    assert stack.workspace == case.workspace.replace("HOME", str(home.root))
    assert stack.s3_url == case.s3_url or case.embedded


def test_a_plan_finds_the_dags_of_the_checkout_unless_told_otherwise(home):
    assert Path(Stack.plan(home, {}).dags_folder).name == "dags"
    assert Stack.plan(home, {"LITEGATE_DAGS_FOLDER": "/elsewhere"}).dags_folder == "/elsewhere"


def test_a_stack_is_read_as_it_was_written_and_only_by_its_owner(home):
    stack = Stack.plan(home, {})
    stack.write(home)

    assert Stack.read(home) == stack
    assert home.state.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", [None, "", "{}", "not json"])
def test_a_home_without_a_readable_record_has_no_stack(text, home):
    if text is not None:
        home.state.write_text(text)

    assert Stack.read(home) is None


def test_a_stack_lives_only_while_the_very_process_lives_that_it_names(home):
    ours = Stack.plan(home, {}).model_copy(update={"pid": os.getpid(), "birth": birth_of(os.getpid())})

    assert ours.alive
    assert not ours.model_copy(update={"birth": ours.birth - 1}).alive
    assert not Stack.plan(home, {}).alive


def test_forgetting_a_stack_leaves_the_one_that_took_its_place(home):
    old, new = Stack.plan(home, {}), Stack.plan(home, {})
    new.write(home)

    old.forget(home)
    assert Stack.read(home) == new
    new.forget(home)
    assert Stack.read(home) is None
