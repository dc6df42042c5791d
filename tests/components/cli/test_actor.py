"""Who decides is who the environment names, or the user and the host."""

from __future__ import annotations

import os

import pytest

from litegate.cli.actor import actor
from litegate.errors import BadInput


@pytest.mark.parametrize("variable", ["alice (on call)", "  alice (on call) "])
def test_the_actor_is_who_the_environment_names(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_ACTOR", variable)
    assert actor() == "alice (on call)"


def test_the_actor_is_the_user_and_the_host_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LITEGATE_ACTOR", raising=False)
    monkeypatch.setenv("LOGNAME", "bob")
    assert actor() == f"bob@{os.uname().nodename}"


def test_a_user_id_without_a_name_is_an_actor_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LITEGATE_ACTOR", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])
    assert actor() == f"uid {os.getuid()}@{os.uname().nodename}"


def test_an_actor_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_ACTOR", "x" * 1001)
    with pytest.raises(BadInput, match="LITEGATE_ACTOR: expected at most 1000 characters, got 1001"):
        actor()
