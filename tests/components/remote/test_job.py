"""What a job says of the host that asks, and of how its process ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.execution.executor import Ending
from litegate.execution.step_run import StepRun
from litegate.failures import FailureKind
from litegate.records import EvaluateFilesRequest
from litegate.remote.job import Circumstances, Returned
from litegate.settings import Settings, settings
from litegate.steps import STEPS
from tests.components.execution.returned.honest import HONEST, World

HERE = Circumstances(keys=("a" * 64,), processor="x86_64, one")


@pytest.mark.parametrize(
    ("here", "says"),
    [
        (HERE, ""),
        (Circumstances(keys=("a" * 64,), processor="x86_64, two"), ""),
        (Circumstances(keys=("b" * 64,), processor="x86_64, two"), "got x86_64, two: select nodes that have it"),
        (Circumstances(keys=("b" * 64,), processor="x86_64, one"), "use images of one build"),
    ],
)
def test_another_key_is_refused_with_what_differs(here: Circumstances, says: str) -> None:
    found = HERE.differ(here)
    assert bool(found) is bool(says)
    assert found.endswith(says)


def test_an_ending_comes_back_as_it_was() -> None:
    exceeded = FailureKind.DISK_LIMIT, "the step's files took more than 16 GiB"
    ending = Ending(-9, "last words", True, True, exceeded, ("no network namespace",))
    assert Returned.model_validate_json(Returned.of(ending).model_dump_json()).ending == ending


def test_a_request_for_several_files_has_the_key_of_each(tmp_path: Path) -> None:
    """As the caller stores their results."""
    pythons = settings().pythons
    places = Settings(str(tmp_path / "ws"), tmp_path / "cache", tmp_path / "scratch", pythons)
    (one, *_) = HONEST["evaluate"](World(tmp_path / "world", pythons)).request.files
    other = one.artifact.model_copy(update={"file": one.artifact.file.model_copy(update={"digest": "b" * 64})})
    request = EvaluateFilesRequest(files=(one, one.model_copy(update={"artifact": other})))
    found = Circumstances.here(STEPS["evaluate"], request, places)
    assert found.keys == StepRun(STEPS["evaluate"], request, places).keys()
    assert len({*found.keys}) == 2
