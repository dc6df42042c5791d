"""A ledger that goes on in further runs of a real MLflow server."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from mlflow import MlflowClient

from litegate.errors import StoreError
from litegate.promotion import chained, check_chain, standing_of
from litegate.records import Decision, LedgerEntry, RegisteredAlias
from litegate.tracking import pages
from litegate.tracking.ledger import EXPERIMENT, RUN_TAG, Ledger

pytestmark = pytest.mark.usefixtures("mlflow_url")
SIZE = 3


@pytest.fixture
def channel(monkeypatch) -> RegisteredAlias:
    monkeypatch.setattr(pages, "SIZE", SIZE)
    return RegisteredAlias(registry=f"toy-{uuid.uuid4().hex[:8]}")


def written(channel: RegisteredAlias, count: int) -> tuple[LedgerEntry, ...]:
    ledger = Ledger(MlflowClient(), channel)
    for number in range(count):
        assert ledger.append(entry(channel, ledger.entries(), str(number)))
    return ledger.entries()


def entry(channel: RegisteredAlias, known: tuple[LedgerEntry, ...], key: str) -> LedgerEntry:
    decision = Decision(channel=channel, action="accepted", key=key, actor="ann", why="x", version=1, digest="d")
    return chained(known, decision, None, 1)


def read_elsewhere(channel: RegisteredAlias) -> tuple[LedgerEntry, ...]:
    """As a process reads them that has read nothing yet."""
    pages._contents.clear()
    return Ledger(MlflowClient(), channel).entries()


def newest_page(channel: RegisteredAlias) -> str:
    return str(MlflowClient().get_experiment_by_name(f"{EXPERIMENT}/{channel}").tags[RUN_TAG])


def test_all_entries_are_read_from_the_last_page_and_fit(channel):
    entries = written(channel, 8)
    found = read_elsewhere(channel)
    assert found == entries
    assert [each.number for each in found] == list(range(8))
    check_chain(found, "ledger")

    last = MlflowClient().get_run(newest_page(channel))
    assert {key for key in last.data.params if key.startswith("entry-")} == {"entry-00006", "entry-00007"}


def test_what_entries_come_to_follows_them_over_the_pages(channel):
    ledger = Ledger(MlflowClient(), channel)
    for number in range(2 * SIZE + 1):
        known = ledger.entries()
        assert ledger.standing(known) == standing_of(known)
        assert Ledger(MlflowClient(), channel).append(entry(channel, known, str(number)))
    assert ledger.standing(ledger.entries()) == standing_of(ledger.entries())
    assert ledger.standing(known[:2]) == standing_of(known[:2])  # fewer than before


def test_entries_from_before_a_field_was_added_are_archived_as_they_were_written(channel):
    old = entry(channel, (), "old").to_json()
    del old["decision"]["begun"]
    Ledger(MlflowClient(), channel).append(LedgerEntry.model_validate(old))
    written(channel, 7)
    found = read_elsewhere(channel)
    check_chain(found, "ledger")
    assert (len(found), found[0].to_json()) == (8, old)


def test_a_tag_that_names_an_older_page_leads_to_the_last_one(channel):
    written(channel, 2)
    first, marker = newest_page(channel), MlflowClient().get_experiment_by_name(f"{EXPERIMENT}/{channel}")
    ledger = Ledger(MlflowClient(), channel)
    for number in range(2, 8):
        ledger.append(entry(channel, ledger.entries(), str(number)))
    MlflowClient().set_experiment_tag(marker.experiment_id, RUN_TAG, first)
    assert len(read_elsewhere(channel)) == 8


def test_writers_that_come_to_the_end_of_a_page_together_open_one(channel):
    def write(number: int) -> None:
        ledger = Ledger(MlflowClient(), channel)
        while not ledger.append(entry(channel, ledger.entries(), str(number))):
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(10)))
    found = read_elsewhere(channel)
    assert sorted(each.decision.key for each in found) == [str(number) for number in range(10)]
    check_chain(found, "ledger")
    hub = MlflowClient().get_experiment_by_name(EXPERIMENT)
    runs = MlflowClient().search_runs([hub.experiment_id], f"tags.model = '{channel.registry}'")
    assert len(runs) == 4, "who comes second takes its own page back"


@pytest.mark.parametrize("gone", [True, False], ids=["gone", "changed"])
def test_an_archive_that_is_not_what_its_page_names_is_an_error(channel, mlflow_server, gone):
    written(channel, 4)
    (file,) = mlflow_server.artifacts.rglob(f"{newest_page(channel)}/artifacts/{pages.FILE}")
    content = file.read_bytes()
    file.unlink() if gone else file.write_bytes(content + b"!")
    with pytest.raises(StoreError, match="with all earlier entries, cannot be read"):
        read_elsewhere(channel)
    file.write_bytes(content)
    assert len(read_elsewhere(channel)) == 4
