"""Decisions against a real MLflow server, with real files: what they move, and what they refuse to."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from mlflow import MlflowClient

from litegate.errors import BadInput, StoreError
from litegate.records import Aliases, Decided, Decision, RegisteredAlias
from litegate.tracking import aliases, notes, registry
from litegate.tracking.deciding import decide, reconcile, state_of
from litegate.tracking.ledger import Ledger
from litegate.tracking.overrides import OVERRIDES
from tests.benchmarks.promoters import Logged, log_model

pytestmark = pytest.mark.usefixtures("mlflow_url")


class Model:
    """A registered model of the test's own."""

    def __init__(self, content: bytes, folder: Path) -> None:
        self.client, self.content, self.folder = MlflowClient(), content, folder
        self.channel = RegisteredAlias(registry=f"toy-{uuid.uuid4().hex[:8]}")
        self.experiment = self.client.create_experiment(f"quantize/{self.channel.registry}")
        self.logged: dict[int, Logged] = {}

    def add(self) -> int:
        """A version that passed, with a file of its own."""
        logged = log_model(self.client, self.experiment, self.content + uuid.uuid4().bytes)
        tags = {registry.STATE: registry.PASSED, registry.DIGEST: logged.digest, registry.VARIANT: "int8"}
        name = self.channel.registry
        version = registry.ensure_version(self.client, name, logged.model_id, logged.run_id, tags, lambda _: "")
        self.logged[version] = logged
        return version

    def accept(self, version: int, day: int, key: str | None = None, **fields: object) -> Decided:
        digest = self.logged[version].digest
        order = f"2026-01-{day:02}T00:00:00+00:00"
        return self.decide("accepted", version, key or f"{version} {day}", digest=digest, order=order, **fields)

    def decide(self, action: str, version: int | None = None, key: str = "", **fields: object) -> Decided:
        given = {"channel": self.channel, "action": action, "key": key or uuid.uuid4().hex, "actor": "ann"}
        decision = Decision.model_validate(given | {"why": "because", "version": version} | fields)
        return decide(self.client, decision, self.folder)

    def aliases(self) -> dict[str, int]:
        found = self.client.get_registered_model(self.channel.registry).aliases
        return {name: int(version) for name, version in found.items()}

    def entries(self) -> list[tuple[str, int | None, int | None]]:
        return [(each.decision.action, each.before, each.after) for each in state_of(self.client, self.channel).entries]


@pytest.fixture
def model(tflite_files: dict[str, Path], tmp_path: Path) -> Model:
    return Model(tflite_files["int8"].read_bytes(), tmp_path)


def test_a_life_of_a_model(model):
    first, second, third = (model.add() for _ in range(3))
    model.accept(first, 1)
    assert model.accept(second, 2).moved
    assert model.aliases() == {"champion": second, "previous": first}
    model.decide("nominated", third, digest=model.logged[third].digest, order="2026-01-03T00:00:00Z")
    assert model.aliases() == {"champion": second, "previous": first, "candidate": third}
    model.decide("accepted", third)
    assert model.aliases() == {"champion": third, "previous": second}
    model.decide("rolled_back", third)
    assert model.aliases() == {"champion": second, "previous": first}
    assert not model.accept(third, 9).moved, "a later run with the same digest"
    model.decide("frozen", first)
    model.decide("reinstated", third)
    assert model.aliases() == {"champion": first, "previous": third}
    assert model.decide("unfrozen").aliases == Aliases(champion=third, previous=second)
    assert [entry[0] for entry in model.entries()][2:] == [
        "nominated",
        "accepted",
        "rolled_back",
        "accepted",
        "frozen",
        "reinstated",
        "unfrozen",
    ]


def test_a_retry_adds_nothing_and_repairs_what_the_first_try_left(model):
    version = model.add()
    first = model.accept(version, 1, key="run-1")
    model.client.delete_registered_model_alias(model.channel.registry, "champion")
    again = model.accept(version, 1, key="run-1")
    assert again == first
    assert model.entries() == [("accepted", None, version)]
    assert model.aliases() == {"champion": version}


def test_eight_at_once_leave_the_latest_as_champion_and_one_ledger(model):
    for number in range(2):
        versions = [model.add() for _ in range(8)]
        days = [10 * number + day for day in (4, 8, 1, 6, 3, 7, 5, 2)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(model.accept, versions, days))
        assert model.aliases() == {"champion": versions[1], "previous": versions[5]}
    entries = Ledger(model.client, model.channel).entries()
    assert len(entries) == 16
    assert all(later.before == earlier.after for earlier, later in pairwise(entries))


def test_eight_at_once_register_each_digest_once(model):
    logged = [log_model(model.client, model.experiment, model.content + bytes([each % 4])) for each in range(8)]

    def register(each: Logged) -> int:
        tags = {registry.STATE: registry.PASSED, registry.DIGEST: each.digest, registry.VARIANT: "int8"}
        return registry.ensure_version(
            model.client, model.channel.registry, each.model_id, each.run_id, tags, lambda _: ""
        )

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(register, logged))
    versions = model.client.search_model_versions(f"name = '{model.channel.registry}'")
    assert Counter(version.tags[registry.DIGEST] for version in versions) == {each.digest: 1 for each in logged}
    assert set(numbers) == {int(version.version) for version in versions}


def test_an_alias_that_was_moved_by_hand_goes_back(model):
    first, second = model.add(), model.add()
    model.accept(first, 1)
    model.accept(second, 2)
    model.client.set_registered_model_alias(model.channel.registry, "champion", str(first))
    model.client.set_registered_model_alias(model.channel.registry, "candidate", str(first))
    assert reconcile(model.client, model.channel, "a test", model.folder) == Aliases(champion=second, previous=first)
    assert model.aliases() == {"champion": second, "previous": first}
    assert len(model.entries()) == 2, "nobody decided anything"


def test_a_champion_that_was_deleted_is_followed_by_the_next_and_the_ledger_says_so(model):
    first, second = model.add(), model.add()
    model.accept(first, 1)
    model.accept(second, 2)
    model.client.delete_model_version(model.channel.registry, str(second))
    reconcile(model.client, model.channel, "a test", model.folder)
    assert model.aliases() == {"champion": first}
    assert model.entries()[-1] == ("reconciled", second, first)


def test_a_channel_is_not_touched_by_another(model):
    first, second = model.add(), model.add()
    model.accept(first, 1)
    other = RegisteredAlias(registry=model.channel.registry, alias="edge")
    model.decide("accepted", second, channel=other, digest=model.logged[second].digest, order="2026-01-02T00:00:00Z")
    assert model.aliases() == {"champion": first, "edge": second}


def stored_file(model: Model, mlflow_server, version: int) -> Path:
    (file,) = mlflow_server.artifacts.rglob(f"{model.logged[version].model_id}/artifacts/artifacts/*.tflite")
    return file


@pytest.mark.parametrize("what", ["bytes", "file", "verdict", "state", "digest"])
def test_what_is_not_what_was_judged_does_not_become_champion(model, mlflow_server, what):
    good, bad = model.add(), model.add()
    model.accept(good, 1)
    file, run_id = stored_file(model, mlflow_server, bad), model.logged[bad].run_id
    verdict = {"variant": "int8", "state": "passed", "digest": model.logged[bad].digest}
    (kept,) = mlflow_server.artifacts.rglob(f"{run_id}/artifacts/{notes.VERDICT}")
    changes = {
        "bytes": lambda: file.write_bytes(bytes([*file.read_bytes()[:-1], file.read_bytes()[-1] ^ 1])),
        "file": file.unlink,
        "verdict": kept.unlink,
        "state": lambda: model.client.log_text(run_id, json.dumps(verdict | {"state": "failed"}), notes.VERDICT),
        "digest": lambda: model.client.log_text(run_id, json.dumps(verdict | {"digest": "0" * 64}), notes.VERDICT),
    }
    changes[what]()
    with pytest.raises(StoreError):
        model.accept(bad, 2)
    assert model.aliases() == {"champion": good}
    assert model.entries() == [("accepted", None, good)], "nothing was written"


def test_a_roll_back_proves_the_version_that_takes_over(model, mlflow_server):
    first, second = model.add(), model.add()
    model.accept(first, 1)
    model.accept(second, 2)
    file = stored_file(model, mlflow_server, first)
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    with pytest.raises(StoreError, match="delete the version, register again"):
        model.decide("rolled_back", second)
    assert model.aliases()["champion"] == second


def test_what_cannot_be_decided_writes_nothing(model):
    version = model.add()
    model.accept(version, 1)
    with pytest.raises(BadInput, match="another accepted version that can take over, got no such version"):
        model.decide("rolled_back", version)
    with pytest.raises(BadInput, match="version 7, for which this was decided"):
        model.accept(model.add(), 2, expected=7)
    assert model.entries() == [("accepted", None, version)]
    assert model.aliases() == {"champion": version}


def test_the_ledgers_page_says_who_is_champion_and_why(model):
    first, second = model.add(), model.add()
    model.accept(first, 1)
    model.accept(second, 2)
    model.decide("rolled_back", second, why="wrong | labels")
    run = model.client.get_run(Ledger(model.client, model.channel).run_id())
    assert (run.data.tags["champion"], run.data.tags["previous"]) == (str(first), "")
    note = run.data.tags["mlflow.note.content"].replace(" &nbsp; |", " |")
    pages = [f"(#/models/{model.channel.registry}/versions/{each}?workflowType=machine_learning)" for each in (1, 2)]
    assert f"champion: [**version {first}**]{pages[0]}, previous: **none**" in note
    assert rf"| rolled back | [{second}]{pages[1]} | ann | wrong \| labels | {second} → {first} |" in note


def test_aliases_that_do_not_stay_are_an_error(model, monkeypatch):
    version = model.add()
    monkeypatch.setattr(MlflowClient, "set_registered_model_alias", lambda *_: None)
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(StoreError, match="do not stay where its ledger has them"):
        model.accept(version, 1)
    assert aliases.version_behind(model.client, model.channel.registry, "champion") is None


@pytest.mark.parametrize("tag", [OVERRIDES, "trial"], ids=["overrides", "as runs of earlier releases have it"])
def test_a_version_of_an_override_run_is_not_promoted_whoever_registered_it(model, tag):
    version = model.add()
    model.client.set_tag(model.logged[version].run_id, tag, "gate.max_drop 0.5 (spec: 0.01)")
    with pytest.raises(StoreError, match=r"was an override run .*: only the spec as it is promotes"):
        model.accept(version, 1)
    assert model.aliases() == {}
