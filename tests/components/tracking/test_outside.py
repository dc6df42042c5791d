"""What somebody who may write to MLflow can do behind litegate's back: the rows of docs/promotion.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from litegate.errors import BadInput, StoreError
from litegate.promotion import chained
from litegate.records import Aliases, ChannelState, Decision, RegisteredAlias
from litegate.tracking.deciding import reconcile, state_of
from litegate.tracking.ledger import EXPERIMENT, RUN_TAG, Ledger
from tests.registering import accept, new_name, register, take

pytestmark = pytest.mark.usefixtures("mlflow_url")

PAGE = Path(__file__).parents[3] / "docs" / "promotion.md"


class Model:
    """A registered model of two accepted versions; the second is champion."""

    def __init__(self, folder: Path) -> None:
        self.client, self.name, self.folder = MlflowClient(), new_name(), folder
        self.channel = RegisteredAlias(registry=self.name)
        self.first = register(self.client, self.name, "dynamic_range")
        self.second = register(self.client, self.name, "int8")
        accept(self.client, self.name, self.first, "run-1", "2026-01-01T00:00:00+00:00")
        accept(self.client, self.name, self.second, "run-2", "2026-01-02T00:00:00+00:00")

    @property
    def state(self) -> ChannelState:
        return state_of(self.client, self.channel)

    @property
    def aliases(self) -> dict[str, str]:
        return dict(self.client.get_registered_model(self.name).aliases)

    @property
    def actions(self) -> list[str]:
        return [entry.decision.action for entry in self.state.entries]

    @property
    def marker(self) -> Any:
        return self.client.get_experiment_by_name(f"{EXPERIMENT}/{self.channel}")

    @property
    def ledger(self) -> str:
        return str(Ledger(self.client, self.channel).run_id())

    def look(self) -> Aliases:
        """What the next `litegate reconcile` or decision does first."""
        return reconcile(self.client, self.channel, "watcher", self.folder)

    def promote_again(self) -> Aliases:
        return accept(self.client, self.name, self.first, "run-3", "2026-01-01T00:00:00+00:00").aliases


@pytest.fixture
def model(mlflow_url: str, tmp_path: Path) -> Model:
    return Model(tmp_path)


def test_tags_that_no_longer_say_what_was_judged_take_the_champion_away_until_they_do_again(model):
    for tag, value in (("gate.state", "failed"), ("tflite_sha256", "0" * 64)):
        before = model.client.get_model_version(model.name, "2").tags[tag]
        model.client.set_model_version_tag(model.name, "2", tag, value)
        assert model.aliases["champion"] == "2", "until somebody looks"
        assert model.look() == Aliases(champion=1)
        model.client.set_model_version_tag(model.name, "2", tag, before)
        assert model.look() == Aliases(champion=2, previous=1)

    said = [(each.decision.action, each.decision.why) for each in model.state.entries[2:]]
    gone = ("reconciled", "version 2 was deleted, or its tags no longer have the judged verdict and digest")
    assert said == [gone, ("reconciled", "version 2 has the judged verdict and digest again")] * 2


def test_a_version_that_somebody_else_declares_passed_was_never_accepted(model):
    other = register(model.client, model.name, "float16")
    assert other.version == 3
    assert model.look() == Aliases(champion=2, previous=1)


def test_a_tag_that_names_another_run_as_the_one_with_the_verdict_proves_nothing(model):
    others = model.client.get_model_version(model.name, "2").run_id
    model.client.set_model_version_tag(model.name, "1", "evidence.dynamic_range", others)
    with pytest.raises(StoreError, match=f"the verdict of run {others} says int8 passed"):
        take(model.client, model.name, "rolled_back", 2)
    assert (model.aliases["champion"], model.actions) == ("2", ["accepted", "accepted"])


def test_deleting_the_champion_leaves_no_alias_until_somebody_looks(model):
    model.client.delete_model_version(model.name, "2")
    assert model.aliases == {"previous": "1"}
    assert model.look() == Aliases(champion=1)
    assert (model.aliases, model.actions[-1]) == ({"champion": "1"}, "reconciled")


def test_deleted_runs_and_logged_models_change_nothing_until_they_are_collected(model):
    version = model.client.get_model_version(model.name, "1")
    model.client.delete_run(version.run_id)
    model.client.delete_logged_model(version.source.removeprefix("models:/"))
    assert take(model.client, model.name, "rolled_back", 2).aliases == Aliases(champion=1)


@pytest.mark.e2e
def test_what_is_collected_can_neither_be_proved_nor_forgotten(mlflow_server, tmp_path):
    run, file, ledger, marker = (Model(tmp_path) for _ in range(4))
    run.client.delete_run(run.client.get_model_version(run.name, "1").run_id)
    file.client.delete_logged_model(file.client.get_model_version(file.name, "1").source.removeprefix("models:/"))
    held_by = marker.ledger
    ledger.client.delete_run(ledger.ledger)
    marker.client.delete_experiment(marker.marker.experiment_id)
    collect(mlflow_server)

    for model, why in ((run, "version 1: no verdict in run"), (file, r"expected one \.tflite, got 0")):
        with pytest.raises(StoreError, match=why):
            take(model.client, model.name, "rolled_back", 2)
        assert (model.aliases["champion"], model.actions) == ("2", ["accepted", "accepted"])
    for model, why in ((ledger, "there is no run"), (marker, f"run {held_by} holds the entries, but the experiment")):
        with pytest.raises(StoreError, match=why):
            model.promote_again()
        assert model.aliases == {"champion": "2", "previous": "1"}

    marker.client.create_experiment(f"{EXPERIMENT}/{marker.channel}", tags={RUN_TAG: held_by})
    assert marker.look() == Aliases(champion=2, previous=1)


def collect(server: Any) -> None:
    command = [sys.executable, "-m", "mlflow", "gc", "--tracking-uri", server.url]
    command += ["--backend-store-uri", f"sqlite:///{server.artifacts.parent}/mlflow.db"]
    command += ["--artifacts-destination", str(server.artifacts)]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"MLFLOW_TRACKING_URI": server.url})


def test_deleting_the_experiment_of_all_ledgers_stops_every_channel_until_it_is_restored(model):
    hub, ledger = model.client.get_experiment_by_name(EXPERIMENT).experiment_id, model.ledger
    model.client.delete_experiment(hub)
    try:
        with pytest.raises(StoreError, match=rf"mlflow runs restore --run-id {ledger}`\) or its experiment promotions"):
            model.promote_again()
        assert model.aliases == {"champion": "2", "previous": "1"}
    finally:
        model.client.restore_experiment(hub)
    assert model.look() == Aliases(champion=2, previous=1)


def test_a_ledger_whose_experiment_was_renamed_is_not_begun_anew(model):
    take(model.client, model.name, "rolled_back", 2)
    marker, ledger = model.marker.experiment_id, model.ledger
    model.client.rename_experiment(marker, f"mine-{model.name}")
    assert model.look() == Aliases(), "nothing is known, and nothing is touched"
    assert model.aliases == {"champion": "1"}
    with pytest.raises(StoreError, match=f"run {ledger} holds the entries"):
        model.promote_again()

    model.client.rename_experiment(marker, f"{EXPERIMENT}/{model.channel}")
    assert model.look() == Aliases(champion=1)


def test_a_tag_that_names_no_run_is_an_error_and_one_that_names_another_is_believed(model):
    model.client.set_experiment_tag(model.marker.experiment_id, RUN_TAG, "nonsense")
    with pytest.raises(StoreError, match="there is no run nonsense"):
        model.look()

    run = model.client.create_run(model.client.get_experiment_by_name(EXPERIMENT).experiment_id)
    made_up = chained((), decision(model, "accepted", digest=model.first.digest), None, 1)
    model.client.log_param(run.info.run_id, "entry-00000", made_up.model_dump_json())
    model.client.set_experiment_tag(model.marker.experiment_id, RUN_TAG, run.info.run_id)
    assert model.look() == Aliases(champion=1)


def decision(model: Model, action: Any, **fields: Any) -> Decision:
    given = {"key": "forged", "actor": "the owner", "why": "believe me", "version": 1}
    return Decision(channel=model.channel, action=action, **(given | fields))


def test_a_forged_entry_that_fits_is_believed(model):
    forged = chained(model.state.entries, decision(model, "frozen"), 2, 1)
    model.client.log_param(model.ledger, "entry-00002", forged.model_dump_json())
    assert model.look() == Aliases(champion=1, previous=2)
    assert model.state.entries[-1].decision.actor == "the owner"


def test_a_ledger_that_speaks_of_pins_is_read_and_carried_on_and_its_chain_still_fits(model):
    """Entries of before the renaming: nothing of them may change, for the digests of those that follow cover it."""
    pinned = chained(model.state.entries, decision(model, "pinned"), 2, 1)
    text = pinned.model_dump_json()
    assert '"action":"pinned"' in text
    model.client.log_param(model.ledger, "entry-00002", text)

    assert model.look() == Aliases(champion=1, previous=2)
    assert model.state.frozen == 1
    take(model.client, model.name, "unfrozen")
    assert model.look() == Aliases(champion=2, previous=1)
    assert model.client.get_run(model.ledger).data.params["entry-00002"] == text
    assert [entry.decision.action for entry in model.state.entries[2:]] == ["pinned", "unfrozen"]
    assert "| frozen &nbsp; |" in model.client.get_run(model.ledger).data.tags["mlflow.note.content"]


def test_an_entry_in_the_wrong_place_is_named(model):
    forged = chained(model.state.entries, decision(model, "frozen"), 2, 1)
    model.client.log_param(model.ledger, "entry-00007", forged.model_dump_json())
    with pytest.raises(StoreError, match="entry-00007 holds entry 2: it was not written by litegate"):
        model.look()


def test_a_ledger_that_holds_something_else_is_mended_as_the_page_says(model):
    model.client.log_param(model.ledger, "entry-00002", "something else")
    with pytest.raises(StoreError, match="entry-00002 is not a valid ledger entry"):
        model.look()
    with pytest.raises(MlflowException, match="Changing param values is not allowed"):
        model.client.log_param(model.ledger, "entry-00002", "{}")

    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    code = snippet.replace('"digits@champion", 12', f'"{model.channel}", 2')
    assert code != snippet
    exec(code, {})
    assert model.look() == Aliases(champion=2, previous=1)
    assert take(model.client, model.name, "rolled_back", 2).aliases == Aliases(champion=1)


def test_a_renamed_model_leaves_its_ledger_behind(model):
    model.client.rename_registered_model(model.name, f"{model.name}-new")
    renamed = RegisteredAlias(registry=f"{model.name}-new")
    assert model.look() == Aliases()
    assert state_of(model.client, renamed).entries == ()
    accepted = accept(model.client, renamed.registry, model.first, "run-3", "2026-01-01T00:00:00+00:00")
    assert accepted.aliases == Aliases(champion=1), "although version 2 was champion under the old name"


def test_a_model_that_is_made_anew_is_refused_until_its_ledger_starts_over(model):
    model.client.delete_registered_model(model.name)
    anew = register(model.client, model.name, "float16")
    assert anew.version == 1
    with pytest.raises(BadInput, match="which was judged first"):
        accept(model.client, model.name, anew, "run-3", "2026-02-01T00:00:00+00:00")

    model.client.delete_run(model.ledger)
    model.client.rename_experiment(model.marker.experiment_id, f"{EXPERIMENT}/{model.channel} until today")
    accepted = accept(model.client, model.name, anew, "run-3", "2026-02-01T00:00:00+00:00")
    assert (accepted.aliases, accepted.entry.number) == (Aliases(champion=1), 0)


def test_what_mlflow_would_cut_off_is_refused_before_anything_is_written(model):
    with pytest.raises(BadInput, match="a ledger entry of at most 6,000 characters, got 6,"):
        take(model.client, model.name, "frozen", 1, why="\x01" * 1000)
    assert model.actions == ["accepted", "accepted"]
    assert take(model.client, model.name, "frozen", 1, why='"' * 1000, actor="☃" * 1000).moved
