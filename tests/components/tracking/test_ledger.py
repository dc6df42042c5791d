"""The ledger in a real MLflow server: one place for each entry, whoever writes."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from litegate.errors import StoreError
from litegate.promotion import chained
from litegate.records import Decision, LedgerEntry, RegisteredAlias
from litegate.tracking.ledger import EXPERIMENT, RUN_TAG, Ledger

pytestmark = pytest.mark.usefixtures("mlflow_url")


@pytest.fixture
def channel() -> RegisteredAlias:
    return RegisteredAlias(registry=f"toy-{uuid.uuid4().hex[:8]}")


def entry(channel: RegisteredAlias, known: tuple[LedgerEntry, ...], key: str = "a") -> LedgerEntry:
    decision = Decision(channel=channel, action="accepted", key=key, actor="ann", why="x", version=1, digest="d")
    return chained(known, decision, None, 1)


def test_a_channel_without_decisions_has_no_entries_and_makes_none(channel):
    ledger = Ledger(MlflowClient(), channel)
    assert ledger.entries() == ()
    assert MlflowClient().get_experiment_by_name(f"{EXPERIMENT}/{channel}") is None


def test_eight_first_writers_agree_on_one_ledger_and_lose_nothing(channel):
    def write(number: int) -> None:
        ledger = Ledger(MlflowClient(), channel)
        while not ledger.append(entry(channel, ledger.entries(), str(number))):
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    entries = Ledger(MlflowClient(), channel).entries()
    assert sorted(each.decision.key for each in entries) == [str(number) for number in range(8)]
    hub = MlflowClient().get_experiment_by_name(EXPERIMENT)
    runs = MlflowClient().search_runs([hub.experiment_id], f"tags.model = '{channel.registry}'")
    assert len(runs) == 1, "those who came second take their own back"


def test_of_two_for_one_place_one_gets_it(channel):
    ledger = Ledger(MlflowClient(), channel)
    assert ledger.append(entry(channel, (), "first"))
    assert not ledger.append(entry(channel, (), "second"))
    assert [each.decision.key for each in ledger.entries()] == ["first"]


def test_an_answer_that_is_lost_is_no_second_entry(channel):
    class Flaky(MlflowClient):
        def log_param(self, *arguments):
            super().log_param(*arguments)
            raise MlflowException("the answer was lost")

    ledger = Ledger(Flaky(), channel)
    assert ledger.append(entry(channel, ()))
    assert len(ledger.entries()) == 1


def test_mlflow_itself_changes_no_entry(channel):
    client, ledger = MlflowClient(), Ledger(MlflowClient(), channel)
    ledger.append(entry(channel, ()))
    with pytest.raises(MlflowException, match="Changing param values is not allowed"):
        client.log_param(ledger.run_id(), "entry-00000", "{}")
    assert ledger.entries()[0].decision.actor == "ann"


def test_what_is_no_entry_is_named(channel):
    client, ledger = MlflowClient(), Ledger(MlflowClient(), channel)
    ledger.append(entry(channel, ()))
    client.log_param(ledger.run_id(), "entry-00001", "forged")
    with pytest.raises(StoreError, match="entry-00001 is not a valid ledger entry"):
        ledger.entries()


def test_what_a_newer_release_has_written_is_refused_as_such(channel):
    client, ledger = MlflowClient(), Ledger(MlflowClient(), channel)
    ledger.append(entry(channel, ()))
    newer = entry(channel, ledger.entries(), "b").to_json()
    newer["decision"] |= {"reviewer": "bob"}
    client.log_param(ledger.run_id(), "entry-00001", json.dumps(newer))
    with pytest.raises(
        StoreError, match=r"a newer litegate has written it, for this one does not know decision\.reviewer"
    ):
        ledger.entries()


def test_what_one_has_read_before_is_read_again(channel):
    class Changed(MlflowClient):
        """A database in which somebody has changed an entry, while `actor` is set."""

        actor = None

        def get_run(self, run_id):
            run = super().get_run(run_id)
            if self.actor is not None:
                text = run.data.params["entry-00000"]
                run.data.params["entry-00000"] = text.replace('"ann"', f'"{self.actor}"')
            return run

    client = Changed()
    ledger = Ledger(client, channel)
    ledger.append(entry(channel, (), "first"))
    ledger.append(entry(channel, ledger.entries(), "second"))
    assert [each.decision.key for each in ledger.entries()] == ["first", "second"]

    client.actor = "bob"
    with pytest.raises(StoreError, match="entry 1 does not follow the one before it"):
        ledger.entries()
    client.actor = None
    assert [each.decision.actor for each in ledger.entries()] == ["ann", "ann"]


def test_a_deleted_ledger_is_no_empty_one(channel):
    client, ledger = MlflowClient(), Ledger(MlflowClient(), channel)
    ledger.append(entry(channel, ()))
    client.delete_run(ledger.run_id())
    with pytest.raises(StoreError, match="was deleted: restore it"):
        Ledger(client, channel).entries()


def test_a_ledger_that_nobody_can_find_is_no_empty_one(channel):
    client, ledger = MlflowClient(), Ledger(MlflowClient(), channel)
    ledger.append(entry(channel, ()))
    marker = client.get_experiment_by_name(f"{EXPERIMENT}/{channel}")
    client.delete_experiment(marker.experiment_id)
    assert len(Ledger(client, channel).entries()) == 1, "a deleted experiment keeps its name and its tags"

    client.restore_experiment(marker.experiment_id)
    client.delete_experiment_tag(marker.experiment_id, RUN_TAG)
    with pytest.raises(StoreError, match=f"has no tag {RUN_TAG}"):
        Ledger(client, channel).entries()
