"""Requalification against a real MLflow server: the champion is fetched, the result recorded, and something follows."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient

from litegate.digest import digest_bytes, digest_file
from litegate.errors import StoreError
from litegate.lint.summary import Collector
from litegate.records import (
    LOST_CLASS,
    Acted,
    ActRequest,
    ChampionEvidence,
    ChampionRequest,
    Clause,
    DataRef,
    Decision,
    Drift,
    DriftFinding,
    FileRef,
    InputStatistics,
    PromoteRequest,
    Reason,
    RegisteredAlias,
    Requalification,
    RequalifyRequest,
    SampleSet,
    Snapshot,
    UserCode,
)
from litegate.requalification import compared, statistics_of
from litegate.spec import parse_spec
from litegate.steps import act, fetch_champion_evidence, promote, register, requalify
from litegate.tracking import artifacts
from litegate.tracking.deciding import decide, state_of

pytestmark = pytest.mark.usefixtures("mlflow_url")

FILE = FileRef(name="manifest.jsonl", digest=digest_bytes(b"m"), bytes=1)
DATA = DataRef(uri="s3://data/new.npz", format="npz", digest=digest_bytes(b"fresh"), manifest=FILE)
FINDING = DriftFinding(measure="psi", subject="image", value=1.0, limit=0.25, chance=0.1, message="it is otherwise")


def summary(seed: int) -> Any:
    collector = Collector()
    for sample in np.random.default_rng(seed).normal(size=(40, 8, 8, 1)).astype(np.float32):
        collector.add(sample)
    return collector.summary()


@pytest.fixture(scope="module")
def then() -> InputStatistics:
    return statistics_of(summary(1))


@dataclasses.dataclass
class World:
    """A model of the test's own, whose variants are promoted one after the other."""

    toy: Any
    then: InputStatistics

    @property
    def channel(self) -> RegisteredAlias:
        return RegisteredAlias(registry=self.toy.name)

    def promote(self, variant: str) -> int:
        run_key, minute = f"quantize/{variant}", {"dynamic_range": 1, "int8": 2}[variant]
        samples = SampleSet(file=FILE, samples=40, available=50, labels={}, inputs={"serving_default/image": self.then})
        request = self.toy.request(variant, run_key, samples=samples)
        measured = [
            candidate.model_copy(
                update={"evaluated": candidate.evaluated.model_copy(update={"predictions": {0: 600, 1: 400}})}
            )
            for candidate in request.candidates
        ]
        resolved = request.resolved.model_copy(
            update={"preprocess": UserCode(reference="m:f", folder="", digest="c" * 64)}
        )
        request = request.model_copy(update={"candidates": tuple(measured), "resolved": resolved})
        result = register.run(request, self.toy.work)
        promote.run(
            PromoteRequest(
                channel=self.channel,
                selected=result.selected,
                order=f"2026-01-01T00:0{minute}:00+00:00",
                actor="a test",
                run_key=run_key,
                mlflow_run_id=result.mlflow_run_id,
            ),
            self.toy.work,
        )
        return result.selected.version

    def champion(self) -> ChampionEvidence | None:
        request = ChampionRequest(registry=self.toy.name, alias="champion")
        return fetch_champion_evidence.run(request, self.toy.work).champion

    def request(
        self, run_key: str = "requalify/1", state: str = "passed", drifted: bool = False, **verdict: Any
    ) -> Any:
        found = self.champion()
        variant = found.artifact.variant
        drift = Drift(
            samples=40,
            inputs=(compared("image", self.then, summary(2), (-3.0, 3.0), False),),
            predictions_psi=0.02,
            findings=(FINDING,) if drifted else (),
            notes=("the code has changed",),
            sentence="the data drifted: it is otherwise" if drifted else "no drift on 40 samples",
        )
        data = {"uri": "s3://data/new.npz", "format": "npz"}
        spec = parse_spec(
            {"model": {"name": self.toy.name, "uri": "m.keras"}, "calibration": data, "evaluation": data}
            | {"requalify": data}
        )
        return RequalifyRequest(
            run_key=run_key,
            links={"airflow": "http://127.0.0.1:8080/dags/requalify/runs/1"},
            snapshot=Snapshot(spec=spec, data=DATA, metric=self.toy.request().resolved.metric),
            champion=found,
            verdict=self.toy.verdict(self.toy.candidate(variant), state, **verdict),
            drift=drift,
            kernels="xnnpack",
        )

    def record(self, *args: Any, **kwargs: Any) -> Requalification:
        return requalify.run(self.request(*args, **kwargs), self.toy.work)

    def act(self, found: Requalification, key: str = "requalify/1", **asked: str) -> Acted:
        request = ActRequest(
            channel=self.channel,
            requalification=found,
            on_failure=asked.get("on_failure", "rollback"),
            on_drift=asked.get("on_drift", "alert"),
            actor="requalify__m/1",
            run_key=key,
        )
        return act.run(request, self.toy.work)

    def decide(self, action: str, **fields: Any) -> None:
        decision = Decision(channel=self.channel, action=action, key=action, actor="a person", why="so", **fields)
        decide(MlflowClient(), decision, self.toy.work.folder)

    def runs(self) -> list[Any]:
        experiment = MlflowClient().get_experiment_by_name(f"requalify/{self.toy.name}")
        return MlflowClient().search_runs([experiment.experiment_id])

    def trend(self) -> tuple[Any, dict[str, list[Any]]]:
        (run,) = [run for run in self.runs() if "trend" in run.data.tags]
        history = MlflowClient().get_metric_history
        return run, {name: history(run.info.run_id, name) for name in run.data.metrics}


@pytest.fixture
def world(toy: Any, then: InputStatistics) -> World:
    return World(toy, then)


FAILED = Clause(name="max_drop", state="failed", estimate=0.1, low=0.05, high=0.2, limit=0.01, p_value=1, samples=1000)
BROKEN = {"state": "failed", "clauses": (FAILED,), "sentence": "int8 may not ship: it loses at least 5.00 points"}


def unpadded(note: str) -> str:
    """A note without what keeps the columns of its tables apart."""
    return note.replace(" &nbsp; |", " |")


def test_the_champion_comes_with_its_baseline_and_what_its_data_looked_like(world: World) -> None:
    assert world.champion() is None
    version = world.promote("int8")
    found = world.champion()
    assert (found.version, found.artifact.variant, found.baseline.variant) == (version, "int8", "float32")
    for artifact in (found.artifact, found.baseline):
        assert artifact.file.digest == digest_file(world.toy.files[artifact.variant])
    assert found.reference.inputs == {"serving_default/image": world.then}
    assert found.reference.predictions == {0: 600, 1: 400}
    assert found.reference.preprocess_digest == "c" * 64
    assert MlflowClient().get_logged_model(found.model_id).params["variant"] == "int8"
    assert MlflowClient().get_run(found.mlflow_run_id).data.tags["variant"] == "int8"


def stored_baseline(world: World, mlflow_server: Any) -> Path:
    experiment = MlflowClient().get_experiment_by_name(f"quantize/{world.toy.name}")
    (model,) = [
        each
        for each in MlflowClient().search_logged_models([experiment.experiment_id])
        if each.params["variant"] == "float32"
    ]
    (file,) = mlflow_server.artifacts.rglob(f"{model.model_id}/artifacts/artifacts/*.tflite")
    return file


def test_a_baseline_that_is_not_what_the_verdict_was_about_is_not_compared_with(
    world: World, mlflow_server: Any
) -> None:
    world.promote("int8")
    file = stored_baseline(world, mlflow_server)
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    with pytest.raises(StoreError, match=r"MLflow does not hold its float32 baseline, [0-9a-f]{64}"):
        world.champion()


def test_a_version_without_a_record_of_its_data_is_an_error(world: World, mlflow_server: Any) -> None:
    version = MlflowClient().get_model_version(world.toy.name, str(world.promote("int8")))
    (file,) = mlflow_server.artifacts.rglob(f"{version.run_id}/artifacts/drift_reference.json")
    file.unlink()
    with pytest.raises(StoreError, match=r"no drift_reference\.json in run .*: quantize and promote it anew"):
        world.champion()


def test_a_requalification_is_recorded_with_all_that_it_rests_on(world: World) -> None:
    version = world.promote("int8")
    result = world.record(drifted=True)
    assert (result.number, result.version, result.variant, result.state) == (1, version, "int8", "passed")
    assert (result.broken, result.drifted) == (False, True)
    assert result.sentence.startswith(f"version {version} (int8) keeps its limits on 1,000 new samples: ")

    client = MlflowClient()
    run = client.get_run(result.mlflow_run_id)
    assert run.info.status == "FINISHED"
    tags, metrics, params = run.data.tags, run.data.metrics, run.data.params
    assert (tags["verdict"], tags["version"], tags["drift"], tags["variant"]) == (
        "passed",
        str(version),
        "found",
        "int8",
    )
    assert tags["tflite_sha256"] == digest_file(world.toy.files["int8"])
    assert params["baseline_sha256"] == digest_file(world.toy.files["float32"])
    assert (params["data_uri"], params["data_digest"]) == (DATA.uri, DATA.digest)
    assert (params["requalify_max_drop"], params["requalify_max_psi"]) == ("0.01", "0.25")
    assert (metrics["top1"], metrics["baseline_top1"], metrics["drop"]) == (0.918, 0.92, 0.002)
    assert metrics["drift_psi_predictions"] == 0.02
    assert 0 < metrics["drift_psi"] < 0.25
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, data.tags[0].value) == ("new", "fresh")
    (model,) = run.inputs.model_inputs
    assert client.get_logged_model(model.model_id).params["variant"] == "int8"
    names = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert names == {"verdict.json", "drift.json", "result.json", "explanation"}
    note = unpadded(tags["mlflow.note.content"])
    assert note.startswith(f"**version {version} (int8) keeps its limits")
    assert "| image | -3 to 3 (the file clips) |" in note
    assert "- the code has changed" in note
    assert "[Airflow](http://127.0.0.1:8080/dags/requalify/runs/1)" in note
    assert client.get_model_version(world.toy.name, str(version)).tags["requalified"] == result.sentence


def test_each_requalification_is_one_point_of_the_trend(world: World) -> None:
    world.promote("dynamic_range")
    first = world.record("requalify/1")
    world.promote("int8")
    second = world.record("requalify/2", drop=0.5, drop_high=0.6, drifted=True)
    run, trend = world.trend()
    assert run.info.status == "FINISHED"
    assert [first.number, second.number] == [1, 2]
    assert [(point.step, point.value) for point in trend["drop"]] == [(1, 0.002), (2, 0.5)]
    assert [point.value for point in trend["champion_version"]] == [1, 2]
    assert [point.value for point in trend["drift_findings"]] == [0, 1]
    assert {"top1", "baseline_top1", "drift_outside", "drift_shift", "drift_psi", "samples"} < set(trend)
    assert trend["top1"][0].timestamp <= trend["top1"][1].timestamp
    lines = unpadded(run.data.tags["mlflow.note.content"]).splitlines()
    assert lines[0] == f"**{world.toy.name}@champion** on fresh data"
    assert [line.split(" | ")[0] for line in lines[4:]] == ["| 2", "| 1"]
    assert "| 2 (int8) | passed | found |" in lines[4]


def test_a_repeated_requalification_adds_nothing(world: World) -> None:
    world.promote("int8")
    assert world.record() == world.record()
    assert len(world.runs()) == 2
    _, trend = world.trend()
    assert {len(points) for points in trend.values()} == {1}


def test_one_that_was_cut_short_is_taken_up_with_its_number(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.promote("int8")
    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "upload", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            world.record()
    other = world.record("requalify/2")
    again = world.record()
    assert (again.number, other.number) == (1, 2)
    assert MlflowClient().get_run(again.mlflow_run_id).info.status == "FINISHED"
    assert [point.step for point in world.trend()[1]["drop"]] == [1, 2]


def test_a_cleared_run_that_finds_something_else_keeps_its_number(world: World) -> None:
    world.promote("int8")
    first, second = world.record(), world.record(drop=0.3, drop_high=0.4)
    assert (first.number, second.number) == (1, 1)
    assert MlflowClient().get_run(first.mlflow_run_id).data.tags["litegate.superseded"] == "true"
    lines = world.trend()[0].data.tags["mlflow.note.content"].splitlines()
    assert len(lines) == 5, "the table has the latest result alone"
    assert " 0.3 " in lines[4]


def test_a_broken_champion_is_rolled_back_once_and_revoked(world: World) -> None:
    assert [world.promote("dynamic_range"), world.promote("int8")] == [1, 2]
    found = world.record(**BROKEN)
    assert found.broken
    conclusions = [world.act(found) for _ in range(2)]
    assert conclusions[0] == conclusions[1]
    assert (conclusions[0].action, conclusions[0].champion) == ("rolled_back", 1)
    state = state_of(MlflowClient(), world.channel)
    assert (state.aliases.champion, [revoked.version for revoked in state.revoked]) == (1, [2])
    decision = state.entries[-1].decision
    assert (len(state.entries), decision.action, decision.actor) == (3, "rolled_back", "requalify__m/1")
    assert decision.why == "version 2 (int8) fails on 1,000 new samples: it loses at least 5.00 points"
    assert (decision.run_key, decision.mlflow_run_id) == ("requalify/1", found.mlflow_run_id)
    tags = MlflowClient().get_run(found.mlflow_run_id).data.tags
    assert tags["action"] == "rolled back, version 1 is champion"
    assert "| rolled back, version 1 is champion |" in unpadded(world.trend()[0].data.tags["mlflow.note.content"])


def test_a_champion_that_lost_a_class_is_rolled_back_as_for_a_broken_limit(world: World) -> None:
    for variant in ("dynamic_range", "int8"):
        world.promote(variant)
    kept = FAILED.model_copy(update={"state": "passed"})
    lost = Reason(code=LOST_CLASS, message="it never predicts cat (49 of 5,049 samples), which float32 predicts")
    found = world.record(state="failed", clauses=(kept,), reasons=(lost,))
    assert (found.broken, world.act(found).action) == (True, "rolled_back")


def test_a_cleared_run_may_roll_the_next_champion_back_as_well(world: World) -> None:
    for variant in ("dynamic_range", "int8"):
        world.promote(variant)
    world.act(world.record(**BROKEN))
    acted = world.act(world.record(**BROKEN))
    assert (acted.action, acted.champion) == ("alerted", 1)
    assert "version 1 (dynamic_range) fails" in acted.why


def test_the_last_champion_stays_and_somebody_is_called(world: World) -> None:
    world.promote("int8")
    acted = world.act(world.record(**BROKEN))
    assert (acted.action, acted.champion) == ("alerted", 1)
    assert "it was not rolled back" in acted.why
    assert "another accepted version that can take over, got no such version" in acted.why
    assert len(state_of(MlflowClient(), world.channel).entries) == 1


def test_a_frozen_champion_stays_and_somebody_is_called(world: World) -> None:
    for variant in ("dynamic_range", "int8"):
        world.promote(variant)
    world.decide("frozen", version=2)
    acted = world.act(world.record(**BROKEN))
    assert (acted.action, acted.champion) == ("alerted", 2)
    assert "unfreeze it first" in acted.why


def test_a_champion_that_changed_since_it_was_evaluated_is_left_alone(world: World) -> None:
    world.promote("dynamic_range")
    found = world.record(**(BROKEN | {"sentence": "x: y"}))
    world.promote("int8")
    acted = world.act(found)
    assert (acted.action, acted.champion) == ("alerted", 2)
    assert "see `litegate history`" in acted.why


def test_where_all_is_well_or_undecided_nothing_is_decided(world: World) -> None:
    world.promote("int8")
    assert world.act(world.record("requalify/1")).action == "none"
    assert world.act(world.record("requalify/2", "inconclusive")).action == "recorded"
    assert world.act(world.record("requalify/3", drifted=True), on_drift="record").action == "recorded"
    assert world.act(world.record("requalify/4", drifted=True)).action == "alerted"
    assert len(state_of(MlflowClient(), world.channel).entries) == 1
