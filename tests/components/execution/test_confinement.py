"""What a child may use: memory, time, and the secrets that it needs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from litegate.errors import BadInput, StepFailed
from litegate.execution.confinement import child_environment, listed_uris, memory_limit, time_limit
from litegate.records import (
    Artifact,
    BenchmarkRequest,
    FileRef,
    FilesRef,
    FineTuneRequest,
    ModelRef,
    QuantizeRequest,
    ResolveRequest,
    SampleSet,
    UserCode,
)
from litegate.spec import parse_spec
from litegate.steps import STEPS
from tests.components.execution.children import Make


def test_every_child_has_limits(step: Make, executor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_MEMORY_LIMIT", "3G")
    limit, size = 3 << 30, 16 << 30
    with pytest.raises(StepFailed) as failed:
        step("limits").run()
    (memory, most), *others = ast.literal_eval(failed.value.detail.partition(": ")[2])
    assert others == [(size, size), (0, 0), (4096, 4096)]
    assert memory == most
    own = memory - limit  # what a parent has mapped already is not the step's
    assert 0 < own < 1 << 32 if executor == "warm" else own == 0


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("LITEGATE_MEMORY_LIMIT", "lots", r"^LITEGATE_MEMORY_LIMIT: expected a size such as 8G, got 'lots'$"),
        ("LITEGATE_TIME_LIMIT", "0", r"^LITEGATE_TIME_LIMIT: expected a number of seconds, got '0'$"),
    ],
)
def test_a_limit_that_is_none_is_refused(
    step: Make, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadInput, match=message):
        step("good").run()


def test_the_limit_grows_with_the_files_of_the_step() -> None:
    def limit(size: int) -> int:
        artifact = Artifact(variant="int8", file=FileRef(name="f", digest="d" * 64, bytes=size), signatures={})
        samples = SampleSet(file=FileRef(name="s", digest="5" * 64, bytes=0), samples=1, available=1, labels={})
        return memory_limit(STEPS["benchmark"], BenchmarkRequest(files=(artifact,), samples=samples))

    assert 4 << 30 <= limit(1000) == limit(200 << 20) < 5 << 30
    assert limit(1 << 30) - limit(0) == (3 << 29) + (10 << 30) - (4 << 30)


def quantizing(fine_tune: FineTuneRequest | None) -> QuantizeRequest:
    float32 = Artifact(variant="float32", file=FileRef(name="f", digest="d" * 64, bytes=9), signatures={})
    return QuantizeRequest(variant="int8", saved_model=(), baseline=float32, fine_tune=fine_tune)


def test_a_users_training_has_the_time_of_the_spec_and_the_memory_of_a_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LITEGATE_TIME_LIMIT", "5")
    file = FileRef(name="m", digest="d" * 64, bytes=9)
    trains = quantizing(
        FineTuneRequest(
            model=ModelRef(uri="m.keras", format="keras", digest="d" * 64, files=(file,)),
            code=UserCode(reference="a:b", folder="/", digest="d" * 64),
            training=FilesRef(uri="t.npz", digest="d" * 64, manifest=file),
            arguments={},
            base="int8",
            time_limit=7200,
            fixed_batch=False,
            seed=0,
        )
    )
    step = STEPS["quantize"]
    assert [time_limit(step, each) for each in (quantizing(None), trains)] == [5, 7200]
    assert memory_limit(step, quantizing(None)) < 8 << 30
    assert memory_limit(step, trains) >= 64 << 30


def test_the_training_data_are_listed_where_the_spec_names_some() -> None:
    data = {"uri": "x.npz", "format": "npz"}
    spec = {"model": {"name": "m", "uri": "m.keras"}, "calibration": data, "evaluation": data}
    tune = {"fine_tune": {"entry_point": "a:b", "data": "train/*.npz"}}
    plain, trains = (ResolveRequest(spec=parse_spec(spec | keys), folder="/") for keys in ({}, tune))
    assert listed_uris(trains) - listed_uris(plain) == {"train/*.npz"}


@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        ("convert", set()),
        ("quantize", set()),
        ("evaluate", set()),
        ("resolve", set()),
        ("gate", set()),
        ("train", {"AWS_SECRET_ACCESS_KEY", "MY_TOKEN"}),
        ("register", {"MLFLOW_TRACKING_PASSWORD", "MY_TOKEN"}),
    ],
)
def test_a_child_gets_the_secrets_that_it_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, secrets: set[str]
) -> None:
    given = {"AIRFLOW__CORE__FERNET_KEY", "AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_PASSWORD", "MY_TOKEN"}
    for variable in given:
        monkeypatch.setenv(variable, "secret")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    environment = child_environment(STEPS[name], tmp_path)
    assert set(environment) & given == secrets
    assert environment["OMP_NUM_THREADS"] == "2"
    monkeypatch.setenv("LITEGATE_PASS_ENVIRONMENT", "OTHER,MY_TOKEN")
    assert "MY_TOKEN" in child_environment(STEPS[name], tmp_path)
