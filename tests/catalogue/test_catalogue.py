"""Every bad input ends in a clear message, and leaves nothing behind that could be taken for a result."""

from __future__ import annotations

import json
import re
from concurrent.futures import Future
from pathlib import Path

import pytest

from litegate.digest import digest_file
from litegate.errors import BadInput, StepFailed
from litegate.records import Failure, GateRequest
from litegate.settings import Settings
from tests.catalogue.catalogue import ROWS
from tests.catalogue.make_table import PAGE, table
from tests.catalogue.row import BAD_INPUT, Row
from tests.catalogue.running import run
from tests.single_steps import Steps

SHAPE = re.compile(r"\S.*: expected .+, got .+", re.DOTALL)


def ids(rows: list[Row]) -> list[str]:
    return [row.id for row in rows]


ALONE = [row for row in ROWS if row.environment]
SPECS = [row for row in ROWS if row.stage == "spec"]
SHARED = [row for row in ROWS if row not in ALONE and row not in SPECS]


def check(row: Row, error: Exception | None) -> None:
    assert error is not None, f"{row.stage} accepted it"
    message = str(error)
    assert row.is_said(message), message
    assert "Traceback" not in message
    assert len(message) < 4000
    if row.ending == BAD_INPUT:
        assert isinstance(error, BadInput), message
        assert error.exit_code == 2
        assert SHAPE.search(message), message
    else:
        assert isinstance(error, StepFailed), message
        assert (error.step, error.kind) == (row.stage, row.ending), message


@pytest.mark.parametrize("row", SPECS, ids=ids(SPECS))
def test_a_bad_spec_is_refused_by_the_parser(row: Row, tmp_path: Path) -> None:
    check(row, run(row, tmp_path, tmp_path, tmp_path, None))


@pytest.mark.e2e
@pytest.mark.parametrize("row", SHARED, ids=ids(SHARED))
def test_a_bad_input_is_refused_by_its_step(row: Row, outcomes: dict[str, Future[Exception | None]]) -> None:
    check(row, outcomes[row.id].result())


@pytest.mark.e2e
@pytest.mark.parametrize("row", ALONE, ids=ids(ALONE))
def test_a_bad_input_is_refused_within_its_limits(
    row: Row,
    tmp_path: Path,
    models: Path,
    hostile: Path,
    places: Settings,
    outcomes: dict[str, Future[Exception | None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for other in outcomes.values():
        other.exception()  # the variables are everyone's
    for name, value in row.environment.items():
        monkeypatch.setenv(name, value)
    check(row, run(row, tmp_path, models, hostile, places))


@pytest.mark.e2e
def test_nothing_is_left_behind(places: Settings, mark: Path, outcomes: dict[str, Future[Exception | None]]) -> None:
    for outcome in outcomes.values():
        outcome.exception()
    assert not mark.exists()
    assert not Path("/var/tmp/litegate-evil").exists()
    assert [*places.scratch.iterdir()] == []
    workspace = Path(places.workspace)
    kept = [path for root in (workspace, places.cache) for path in root.rglob("*") if path.is_file()]
    assert [path for path in kept if path.name.startswith(".tmp-")] == []
    assert [path for path in kept if path.parent.name == "files" and digest_file(path) != path.name] == []
    for path in workspace.glob("results/*/*.json"):
        json.loads(path.read_text())


@pytest.mark.e2e
def test_no_variant_that_failed_can_be_registered(models: Path, places: Settings, tmp_path: Path) -> None:
    kinds = sorted({row.ending for row in ROWS} - {BAD_INPUT})
    data = {"uri": str(models / "test.npz"), "format": "npz"}
    model = {"name": "test", "uri": str(models / "keras3.keras")}
    calibration = {"uri": str(models / "calibration.npz"), "format": "npz"}
    steps = Steps(tmp_path, places, model=model, calibration=calibration, evaluation=data)
    baseline = steps.candidate(steps.convert().artifact)
    for kind in kinds:
        failure = Failure(step="quantize", kind=kind, message="as in the catalogue", variant="int8")
        request = GateRequest(
            policy=steps.spec.gate,
            target="cpu",
            variants=("int8",),
            baseline=baseline,
            candidates=(),
            failures=(failure,),
        )
        (verdict,) = (each for each in steps.step("gate", request).verdicts if each.variant == "int8")
        assert (verdict.state, verdict.reasons[0].code) == ("failed", f"quantize_{kind}")


def test_the_rows_are_many_and_their_names_unique() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS) >= 60


def test_the_table_is_what_the_rows_say() -> None:
    assert PAGE.read_text() == table(), "run python -m tests.catalogue.make_table"
