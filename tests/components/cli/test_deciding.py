"""What an operator decides at a shell, against a real MLflow server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from litegate.cli.main import main
from litegate.records import Action, ChannelState, RegisteredAlias
from litegate.stack import Home, Stack
from litegate.stack.processes import birth_of
from litegate.tracking.deciding import state_of
from tests.registering import accept, new_name, register, take

pytestmark = pytest.mark.usefixtures("mlflow_url", "warm_mlflow_steps")


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def litegate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    monkeypatch.setenv("LITEGATE_ACTOR", "alice")

    def run(*arguments: object) -> Said:
        code = main([str(argument) for argument in arguments])
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def untouched(mlflow_url: str) -> str:
    """A model for all who change nothing."""
    return three_versions()


@pytest.fixture
def toy(mlflow_url: str) -> str:
    return three_versions()


def three_versions() -> str:
    """A model of three accepted versions; the third is champion."""
    client, name = MlflowClient(), new_name()
    for number, variant in enumerate(("dynamic_range", "int8", "float16"), 1):
        accept(client, name, register(client, name, variant), f"run-{number}", f"2026-01-0{number}T00:00:00+00:00")
    return name


def state(name: str) -> ChannelState:
    return state_of(MlflowClient(), RegisteredAlias(registry=name))


def aliases(name: str) -> dict[str, str]:
    return dict(MlflowClient().get_registered_model(name).aliases)


def test_rollback_says_what_it_does_and_the_version_before_is_champion(litegate, toy, mlflow_url):
    said = litegate("rollback", toy, "--why", "slow at the edge")

    assert (said.code, aliases(toy)) == (0, {"champion": "2", "previous": "1"})
    assert said.error == f"{toy}@champion at {mlflow_url}: rolling back version 3; then version 2 is champion\n"
    assert said.out == f"{toy}@champion: version 2 is champion, before it was version 3\n"


def test_the_warm_parents_of_the_home_are_asked(litegate, untouched, caplog, monkeypatch, tmp_path: Path):
    monkeypatch.delenv("LITEGATE_WARM")
    monkeypatch.setenv("LITEGATE_EXECUTOR", "warm")
    assert litegate("history", untouched).code == 0
    assert f"there is no warm parent in {tmp_path / 'home' / 'warm'}; steps start cold" in caplog.text


def test_rollback_goes_to_any_accepted_version(litegate, toy):
    said = litegate("rollback", toy, "--to", 1, "--json")

    assert (said.code, aliases(toy)["champion"]) == (0, "1")
    assert said.json["aliases"] == {"champion": 1, "previous": 2, "candidate": None}
    assert said.json["entry"]["decision"]["actor"] == "alice"


def test_a_second_rollback_must_name_what_it_rolls_back(litegate, toy):
    take(MlflowClient(), toy, "rolled_back", 3)
    second = litegate("rollback", toy)
    assert (second.code, aliases(toy)["champion"]) == (2, "2")
    assert "version 2, to be named, for version 3 was rolled back already, by alice at 20" in second.error
    assert "rolling back" not in second.error, "it does not say that it does what it does not do"

    assert litegate("rollback", toy, "--from", 2).code == 0
    assert aliases(toy) == {"champion": "1"}


@dataclass(frozen=True, kw_only=True)
class Refused:
    id: str
    command: tuple[object, ...]
    said: str
    before: tuple[Action, int] | None = None


REFUSED = (
    Refused(id="another champion", command=("rollback", "--from", 2), said="the champion, version 3, got another"),
    Refused(id="back to itself", command=("rollback", "--to", 3), said="version (1, 2), got the champion itself"),
    Refused(
        id="to nothing", command=("rollback", "--to", 9), said="version (1, 2), got a version that was never accepted"
    ),
    Refused(
        id="to one that was rolled back",
        before=("rolled_back", 3),
        command=("rollback", "--from", 2, "--to", 3),
        said="got a version that was rolled back by alice: reinstate it first",
    ),
    Refused(id="frozen", before=("frozen", 3), command=("rollback",), said="got the frozen version: unfreeze it first"),
    Refused(
        id="freeze nothing", command=("freeze", 9), said="accepted version (1, 2, 3), got a version that was never"
    ),
    Refused(id="no freeze", command=("unfreeze",), said="expected a frozen version, got none"),
    Refused(
        id="not revoked",
        command=("reinstate", 3),
        said="a revoked version (rolled back or rejected), got a version that is not",
    ),
    Refused(id="other alias", command=("rollback", "--alias", "edge"), said="@edge at http"),
    Refused(id="a long text", command=("rollback", "--why", "\x01" * 1000), said="at most 6,000 characters, got 6,"),
)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_what_cannot_be_done_ends_with_2_and_the_reason_and_writes_nothing(case, litegate, untouched):
    toy = three_versions() if case.before else untouched
    if case.before:
        take(MlflowClient(), toy, *case.before)
    before = state(toy), aliases(toy)
    said = litegate(case.command[0], toy, *case.command[1:])

    assert (said.code, said.out) == (2, "")
    assert case.said in said.error
    assert (state(toy), aliases(toy)) == before


def test_a_freeze_holds_what_is_accepted_later_until_it_is_taken_away(litegate, toy):
    assert litegate("freeze", toy, 1).code == 0
    client = MlflowClient()
    accept(client, toy, register(client, toy, "uint8"), "run-4", "2026-02-01T00:00:00+00:00")
    assert aliases(toy)["champion"] == "1"

    assert litegate("unfreeze", toy).out == f"{toy}@champion: version 4 is champion, before it was version 1\n"


def test_pin_and_unpin_still_work_and_say_what_to_use(litegate, toy):
    pinned = litegate("pin", toy, 1, "--json")
    assert (pinned.code, aliases(toy)["champion"]) == (0, "1")
    assert pinned.error.startswith("warning: `litegate pin` is deprecated: use `litegate freeze`\n")
    assert pinned.json["entry"]["decision"]["action"] == "frozen"

    unpinned = litegate("unpin", toy)
    assert (unpinned.code, aliases(toy)["champion"]) == (0, "3")
    assert unpinned.error.startswith("warning: `litegate unpin` is deprecated: use `litegate unfreeze`\n")
    assert state(toy).entries[-1].decision.action == "unfrozen"


def test_the_json_of_history_has_its_old_fields_too_and_says_what_to_read(litegate, toy):
    take(MlflowClient(), toy, "frozen", 1)
    for command in ("history", "reconcile"):
        said = litegate(command, toy, "--json").json
        assert said["pin"] == said["frozen"] == 1
        assert said["deprecated"]["pin"] == "frozen"


def test_a_reinstated_version_that_is_not_champion_says_why(litegate, toy):
    client = MlflowClient()
    take(client, toy, "rolled_back", 3)
    take(client, toy, "frozen", 1)
    said = litegate("reinstate", toy, 3)
    assert said.out == f"{toy}@champion: version 1 is champion, as before: version 1 is frozen\n"

    take(client, toy, "unfrozen")
    assert aliases(toy)["champion"] == "3"


def test_what_was_rolled_back_and_deleted_is_not_champion_under_another_number(litegate, toy):
    client = MlflowClient()
    take(client, toy, "rolled_back", 3)
    client.delete_model_version(toy, "3")
    again = register(client, toy, "float16")
    accept(client, toy, again, "run-4", "2026-02-01T00:00:00+00:00")
    assert (again.version, aliases(toy)["champion"]) == (4, "2")
    assert [each.version for each in state(toy).revoked] == [3, 4]

    said = litegate("reinstate", toy, 4)
    assert said.code == 0
    assert aliases(toy)["champion"] == "4"


def test_history_shows_who_is_champion_what_is_revoked_and_every_entry(litegate, toy):
    take(MlflowClient(), toy, "rolled_back", 3, why="slow [red]at the edge")
    lines = [" ".join(line.split()) for line in litegate("history", toy).out.splitlines()]

    assert {"champion version 2", "previous version 1", "candidate none", "frozen none"} <= set(lines)
    assert "revoked version 3: rolled back by alice (slow [red]at the edge)" in lines
    assert [line.split()[0] for line in lines if line.endswith(("it passed the gate", "at the edge"))] == list("0123")
    assert any(line.endswith("rolled back 3 3 -> 2 alice: slow [red]at the edge") for line in lines)


def test_history_changes_nothing_and_names_the_alias_that_somebody_moved_and_reconcile_sets_it_right(litegate, toy):
    MlflowClient().set_registered_model_alias(toy, "champion", "1")
    shown = litegate("history", toy)
    assert "the alias champion points to version 1, and belongs to version 3: `litegate reconcile" in shown.out
    assert aliases(toy)["champion"] == "1"

    said = litegate("reconcile", toy)
    assert said.out == "the alias champion points to version 1, and belongs to version 3: set right\n"
    assert aliases(toy) == {"champion": "3", "previous": "2"}


def test_reconcile_says_that_there_was_nothing_to_do(litegate, untouched):
    said = litegate("reconcile", untouched).out
    assert said == f"{untouched}@champion: the aliases are as the promotion log has them\n"


def test_who_reconciles_is_named_where_the_champion_was_deleted(litegate, toy):
    MlflowClient().delete_model_version(toy, "3")
    assert litegate("reconcile", toy).code == 0

    entry = state(toy).entries[-1]
    assert (entry.decision.action, entry.decision.actor, entry.after) == ("reconciled", "alice", 2)


def test_a_name_without_a_ledger_ends_with_2(litegate):
    said = litegate("history", "mistyped")
    assert said.code == 2
    assert "expected a model that litegate has promoted, got a model without a promotion log" in said.error


def test_without_any_server_the_message_says_how_to_name_one(litegate, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    said = litegate("history", "toy")
    assert said.code == 1
    assert "`litegate start`, or name your MLflow server by MLFLOW_TRACKING_URI" in said.error


def test_a_server_that_does_not_answer_is_named_without_its_password(litegate, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    said = litegate("history", "toy")
    assert said.code == 1
    assert said.error.startswith("error: MLflow at http://127.0.0.1:1 does not answer")
    assert "secret" not in said.error


def test_the_servers_of_the_home_come_before_the_environment(litegate, untouched, tmp_path, monkeypatch, mlflow_url):
    home, me = Home(tmp_path / "home"), os.getpid()
    home.prepare()
    alive = {"pid": me, "birth": birth_of(me), "phase": "ready", "mlflow_url": mlflow_url}
    Stack.plan(home, {}).model_copy(update=alive).write(home)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")

    assert f"{untouched}@champion at {mlflow_url}" in litegate("history", untouched, "--home", home.root).out
    assert os.environ["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:1", "as it was"


def test_servers_that_are_still_starting_are_said_to_be(litegate, tmp_path):
    home, me = Home(tmp_path / "home"), os.getpid()
    home.prepare()
    Stack.plan(home, {}).model_copy(update={"pid": me, "birth": birth_of(me)}).write(home)

    said = litegate("history", "toy")
    assert (said.code, said.error) == (1, f"error: the servers in {home.root} are starting: try again in a moment\n")


@pytest.mark.parametrize("arguments", [("freeze", "m", "0"), ("freeze", "m", "v1"), ("rollback", " "), ("freeze", "m")])
def test_arguments_that_make_no_sense_are_refused_before_anything_is_asked(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "error:" in capsys.readouterr().err


def test_looking_leaves_no_home_behind(litegate, tmp_path: Path):
    litegate("history", "mistyped")
    assert not (tmp_path / "home").exists()
