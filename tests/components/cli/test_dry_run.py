"""The sentence of `--dry-run`: how much would be computed, about how long, and where nothing is known that it is so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from litegate.cli.dry_run import summary
from litegate.cli.main import main
from litegate.pipeline.planning import Plan, Planned
from litegate.pipeline.tasks import Job


def plan(*steps: tuple[str, bool, float | None]) -> Plan:
    return Plan(tuple(((Planned(Job(name), found, seconds),),) for name, found, seconds in steps))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (plan(("convert", True, None)), "all 1 results are there, and nothing would be computed"),
        (
            plan(("convert", True, None), ("sample", False, 2.0), ("gate", False, 1.5)),
            "at most 2 of 3 steps would be computed, in about 3.5 s by the times of earlier runs",
        ),
        (
            plan(("convert", False, 200.0), ("gate", False, None)),
            "at most 2 of 2 steps would be computed, in about 3 min by the times of earlier runs, without gate, of "
            "which none has left a time",
        ),
        (
            plan(("convert", False, None)),
            "at most 1 of 1 steps would be computed; no earlier run has left times of them, so how long it takes is "
            "not known",
        ),
    ],
)
def test_the_plan_in_one_sentence(found: Plan, said: str) -> None:
    assert summary(found) == said


@pytest.mark.parametrize("command", ["run", "compare"])
def test_what_is_wrong_with_a_spec_is_said_without_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("LITEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(
        "model: {name: m, uri: m.keras}\ncalibration: {uri: c.npz, format: npz}\nevaluation: {uri: e.npz, format: npz}"
    )
    assert main([command, "spec.yaml", "--dry-run", "--json", "out.json"]) == 2
    assert "model.uri" in json.loads((tmp_path / "out.json").read_text())["error"]
