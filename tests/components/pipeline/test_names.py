"""What was measured of a file gets the name of whoever asks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from litegate.failures import FailureKind
from litegate.pipeline.names import named
from litegate.records import EvaluateFilesRequest, Evaluations, Failure, FileEvaluations, FileFailure, SmokeRun
from litegate.settings import settings
from tests.components.execution.returned.honest import HONEST, World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    return World(tmp_path, settings().pythons)


def test_one_measurement_gives_a_row_to_each_variant(world: World) -> None:
    case = HONEST["smoke"](world)
    other = case.request.model_copy(update={"artifact": world.int8.model_copy(update={"variant": "uint8"})})
    rows = [named(request, case.result) for request in (case.request, other)]
    assert [type(row) for row in rows] == [SmokeRun, SmokeRun]
    assert [row.to_json() for row in rows] == [case.result.to_json() | {"variant": name} for name in ("int8", "uint8")]


def test_one_pass_gives_a_row_to_each_variant_or_its_failure(world: World) -> None:
    case = HONEST["evaluate"](world)
    file, found = case.request.files[0], case.result.files[0]
    others = [
        file.model_copy(update={"artifact": world.int8.model_copy(update={"variant": name})})
        for name in ("uint8", "int16x8")
    ]
    died = FileFailure(artifact_digest=found.artifact_digest, kind=FailureKind.SEGFAULT, message="died")
    rows = named(EvaluateFilesRequest(files=(file, *others)), FileEvaluations(files=(found, found, died)))
    assert isinstance(rows, Evaluations)
    names = (file.artifact.variant, "uint8")
    assert [row.to_json() for row in rows.done] == [found.to_json() | {"variant": name} for name in names]
    assert rows.failures == (Failure(step="evaluate", kind=died.kind, message="died", variant="int16x8"),)


@pytest.mark.parametrize("step", ["convert", "quantize", "inspect", "benchmark", "gate"])
def test_what_is_about_more_than_a_file_keeps_its_names(world: World, step: str) -> None:
    case = HONEST[step](world)
    assert named(case.request, case.result) is case.result
