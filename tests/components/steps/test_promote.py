"""Promoting against a real MLflow server, and what a consumer then loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient

from litegate.errors import BadInput, StoreError
from litegate.records import Champion, ChampionRequest, PromoteRequest, RegisteredAlias
from litegate.runtimes.litert import LiteRTModel
from litegate.steps import fetch_champion_evidence, promote, register
from litegate.tracking import registry
from tests.registering import take

pytestmark = pytest.mark.usefixtures("mlflow_url")

CONSUME = """
import json, sys, warnings

for name in ("litegate", "litegate_airflow", "tensorflow"):
    sys.modules[name] = None  # importing it fails
warnings.simplefilter("error")
warnings.filterwarnings("ignore", ".*Any type hint is inferred as AnyType")
import mlflow.pyfunc
import numpy as np

answers = []
for name in sys.argv[1:]:
    model = mlflow.pyfunc.load_model(f"models:/{name}")
    image = np.linspace(-1, 1, 3 * 64, dtype="float32").reshape(3, 8, 8, 1)
    by_name, alone = model.predict({"image": image}), model.predict(image)
    assert (by_name["scores"] == alone["scores"]).all()
    try:
        model.predict(image.astype("uint8"))
    except Exception as error:
        answers.append([type(error).__name__, str(by_name["scores"].dtype), by_name["scores"].tolist()])
assert sys.modules["tensorflow"] is None
print(json.dumps(answers))
"""


def selected(toy, variant: str = "int8", run_key: str = "run") -> PromoteRequest:
    """A registered version, ready to be promoted."""
    result = register.run(toy.request(variant, run_key), toy.work)
    return promotion_of(toy, result, order="2026-01-01T00:00:00+00:00", run_key=run_key)


def promotion_of(toy, result, **fields) -> PromoteRequest:
    return PromoteRequest(
        channel=RegisteredAlias(registry=toy.name),
        selected=result.selected,
        actor="a test",
        mlflow_run_id=result.mlflow_run_id,
        **fields,
    )


@pytest.fixture(scope="module")
def registered(mlflow_url, new_toy):
    """A registered version that is never promoted, for all who only try."""
    toy = new_toy()
    return toy, selected(toy)


def champion(name: str) -> str | None:
    return MlflowClient().get_registered_model(name).aliases.get("champion")


def stored_file(mlflow_server, name: str, version: int) -> Path:
    model_id = MlflowClient().get_model_version(name, str(version)).source.removeprefix("models:/")
    (file,) = mlflow_server.artifacts.rglob(f"{model_id}/artifacts/artifacts/*.tflite")
    return file


def test_the_alias_moves_once_and_names_the_version_before(toy):
    first, second = selected(toy, "dynamic_range"), selected(toy, "int8")

    moved = [promote.run(request, toy.work) for request in (first, second, second)]
    assert [each.champion for each in moved] == [first.selected, second.selected, second.selected]
    assert [each.previous for each in moved] == [None, 1, 1], "a second try says what the first one did"
    assert {each.state for each in moved} == {"promoted"}
    assert MlflowClient().get_run(first.mlflow_run_id).data.tags["promotion"] == "promoted"
    assert champion(toy.name) == "2"


def test_a_version_that_waits_or_is_held_says_so(toy):
    first = selected(toy, "dynamic_range")
    promote.run(first, toy.work)
    second = register.run(toy.request("int8", "late"), toy.work)

    asked = promotion_of(toy, second, order="2025-06-01T00:00:00Z", run_key="late", approval="human")
    waits = promote.run(asked, toy.work)
    assert (waits.state, waits.moved, waits.champion) == ("pending_approval", False, first.selected)

    late = promotion_of(toy, second, order="2025-01-01T00:00:00Z", run_key="early")
    blocked = promote.run(late, toy.work)
    assert (blocked.state, blocked.champion) == ("blocked", first.selected)
    assert "version 1 has priority: its run overlapped with this one's and was due later" in blocked.why
    assert MlflowClient().get_run(second.mlflow_run_id).data.tags["promotion.why"] == blocked.why


def test_a_verdict_against_another_champion_than_todays_is_outdated(toy):
    first, second = selected(toy, "dynamic_range"), selected(toy, "int8", "second")
    promote.run(first, toy.work)

    with pytest.raises(BadInput, match="expected none, for which this was decided, got version 1"):
        promote.run(second.model_copy(update={"compared_with": 0}), toy.work)
    compared = second.model_copy(update={"compared_with": 1, "order": "2026-01-02T00:00:00.000000+00:00"})
    assert promote.run(compared, toy.work).moved


def test_a_file_that_was_changed_in_mlflow_is_not_promoted(toy, mlflow_server):
    request = selected(toy)
    file = stored_file(mlflow_server, toy.name, 1)
    file.write_bytes(file.read_bytes()[:-1] + b"!")

    with pytest.raises(StoreError, match="delete the version, register again"):
        promote.run(request, toy.work)
    assert champion(toy.name) is None


def test_a_file_that_is_gone_from_mlflow_is_not_promoted(toy, mlflow_server):
    request = selected(toy)
    stored_file(mlflow_server, toy.name, 1).unlink()

    with pytest.raises(StoreError, match=r"expected one \.tflite, got 0"):
        promote.run(request, toy.work)
    assert champion(toy.name) is None


def test_a_file_that_was_changed_in_mlflow_is_not_even_loaded(toy, mlflow_server, mlflow_url):
    selected(toy)
    file = stored_file(mlflow_server, toy.name, 1)
    file.write_bytes(file.read_bytes()[:-1] + b"!")

    with pytest.raises(AssertionError, match="its SHA-256 differs"):
        consume(mlflow_url, f"{toy.name}/1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variant": "uint8"}, "expected a verdict on uint8, got int8"),
        ({"digest": "0" * 64}, "tag tflite_sha256: expected 0000"),
    ],
)
def test_a_version_that_is_not_what_was_selected_is_not_promoted(registered, changes, message):
    toy, request = registered
    other = Champion.model_validate(request.selected.model_dump() | changes)

    with pytest.raises(StoreError, match=message):
        promote.run(request.model_copy(update={"selected": other}), toy.work)
    assert champion(toy.name) is None


def test_a_version_that_was_revoked_since_is_not_promoted(toy):
    request = selected(toy)
    MlflowClient().set_model_version_tag(toy.name, "1", "gate.state", "revoked")

    with pytest.raises(StoreError, match=r"tag gate\.state: expected passed, got revoked"):
        promote.run(request, toy.work)
    assert champion(toy.name) is None


def consume(url: str, *names: str) -> list[list]:
    """What a consumer's process without litegate and TensorFlow gets."""
    environment = os.environ | {"MLFLOW_TRACKING_URI": url, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    done = subprocess.run(
        [sys.executable, "-c", CONSUME, *names], env=environment, cwd="/", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_consumer_needs_neither_litegate_nor_tensorflow_nor_pickle_and_speaks_real_values(toy, mlflow_url):
    promote.run(selected(toy, "dynamic_range"), toy.work)
    promote.run(selected(toy, "int8"), toy.work)

    answers = consume(mlflow_url, f"{toy.name}/1", f"{toy.name}@champion")
    image = np.linspace(-1, 1, 3 * 64, dtype="float32").reshape(3, 8, 8, 1)
    for variant, (refusal, dtype, scores) in zip(("dynamic_range", "int8"), answers, strict=True):
        expected = LiteRTModel(toy.files[variant].read_bytes()).predict({"image": image})["scores"]
        assert (refusal, dtype) == ("MlflowException", "float32")
        np.testing.assert_array_equal(np.asarray(scores, np.float32), expected)


@pytest.mark.parametrize("first", ["int16x8", "int16x8_float_fallback"])
def test_variants_of_equal_bytes_are_one_version_with_the_verdicts_of_both(toy, first: str) -> None:
    """As the two 16x8 variants are where every operator has a 16x8 kernel."""
    second = next(name for name in ("int16x8", "int16x8_float_fallback") if name != first)
    twins = {name: toy.candidate(name, file="int8") for name in (first, second)}
    other = toy.candidate("dynamic_range")

    def run(name: str, key: str, *judged: str) -> PromoteRequest:
        each = [*(twins[variant] for variant in judged), other]
        verdicts = (toy.baseline_verdict(toy.candidate("float32")), *map(toy.verdict, each))
        made = toy.request(name, key, candidates=tuple(each), verdicts=verdicts)
        order = f"2026-01-0{key}T00:00:00+00:00"
        return promotion_of(toy, register.run(made, toy.work), order=order, run_key=key)

    one = run(first, "1", first)
    two = run(second, "2", second)
    assert one.selected.version == two.selected.version == 1
    for request in (one, two):  # the first run promotes after the second has registered
        assert promote.run(request, toy.work).state == "promoted"
    version = MlflowClient().get_model_version(toy.name, "1")
    assert set(registry.evidence_of(version)) == {first, second}
    for variant, run_id in registry.evidence_of(version).items():
        said = json.loads(mlflow.artifacts.load_text(f"runs:/{run_id}/verdict.json"))
        assert (said["variant"], said["state"], said["digest"]) == (variant, "passed", one.selected.digest)

    asked = ChampionRequest(registry=toy.name, alias="champion")
    found = fetch_champion_evidence.run(asked, toy.work).champion
    assert (found.artifact.variant, found.mlflow_run_id) == (second, registry.evidence_of(version)[second])

    assert promote.run(run("dynamic_range", "3", first, second), toy.work).champion.version == 2
    assert take(MlflowClient(), toy.name, "rolled_back", to=1).aliases.champion == 1


def test_variants_of_equal_bytes_in_one_run_are_both_on_the_version(toy) -> None:
    twins = [toy.candidate(name, file="int8") for name in ("int16x8", "int16x8_float_fallback")]
    verdicts = (toy.baseline_verdict(toy.candidate("float32")), *map(toy.verdict, twins))
    made = toy.request("int16x8", candidates=tuple(twins), verdicts=verdicts)
    result = register.run(made, toy.work)
    version = MlflowClient().get_model_version(toy.name, "1")
    assert set(registry.evidence_of(version)) == {"int16x8", "int16x8_float_fallback"}
    assert "The same bytes were judged as int16x8_float_fallback too." in version.description
    assert promotion_of(toy, result, order="2026-01-01T00:00:00Z", run_key="run").selected.variant == "int16x8"
