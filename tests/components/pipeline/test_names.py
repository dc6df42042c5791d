"""What was measured of a file gets the name of whoever asks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from litegate.pipeline.names import named
from litegate.records import Evaluated, Record, SmokeRun
from litegate.settings import settings
from tests.components.execution.returned.honest import HONEST, World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    return World(tmp_path, settings().pythons)


@pytest.mark.parametrize(("step", "kind"), [("smoke", SmokeRun), ("evaluate", Evaluated)])
def test_one_measurement_gives_a_row_to_each_variant(world: World, step: str, kind: type[Record]) -> None:
    case = HONEST[step](world)
    other = case.request.model_copy(update={"artifact": world.int8.model_copy(update={"variant": "uint8"})})
    rows = [named(request, case.result) for request in (case.request, other)]
    assert [type(row) for row in rows] == [kind, kind]
    assert [row.to_json() for row in rows] == [case.result.to_json() | {"variant": name} for name in ("int8", "uint8")]


@pytest.mark.parametrize("step", ["convert", "quantize", "inspect", "benchmark", "gate"])
def test_what_is_about_more_than_a_file_keeps_its_names(world: World, step: str) -> None:
    case = HONEST[step](world)
    assert named(case.request, case.result) is case.result
