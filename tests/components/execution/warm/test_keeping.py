"""A warm parent ends with its keeper, however that ends, and is kept only where it is of use."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from litegate.execution.warm.door import is_there
from litegate.execution.warm.keeping import another_parent, answers, kept, own_parent, variables_of
from litegate.settings import Settings
from tests.components.execution.sandbox.hosts import running

PYTHON = Path(sys.executable)
KEEPS = """
import signal, sys, time
from pathlib import Path
from litegate.execution.warm.keeping import own_parent
from litegate.settings import Settings
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores for what it runs beside itself
python, home = Path(sys.executable), Path(sys.argv[1])
places = Settings(str(home / "ws"), home / "cache", home / "scratch", {"bare": python}, executor="auto")
with own_parent("bare", places) as found:
    print(found().warm, flush=True)
    time.sleep(600)
"""


def places(home: Path, **changes: object) -> Settings:
    found = Settings(str(home / "ws"), home / "cache", home / "scratch", {"bare": PYTHON}, executor="auto")
    return dataclasses.replace(found, **changes)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_parent_ends_with_its_keeper(tmp_path: Path, number: int) -> None:
    command = [PYTHON, "-c", KEEPS, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as keeper:
        assert keeper.stdout is not None
        folder = keeper.stdout.readline().strip()
        assert len(running(folder)) == 1
        keeper.send_signal(number)
        keeper.wait()
    deadline = time.monotonic() + 60
    while running(folder):
        assert time.monotonic() < deadline, "it outlives its keeper"
        time.sleep(0.02)
    assert Path(folder).exists() == (number == signal.SIGKILL), "a start removes what nobody holds"


def test_a_parent_that_is_there_is_used(tmp_path: Path) -> None:
    with kept("bare", PYTHON, tmp_path / "theirs") as wait:
        wait()
        given = places(tmp_path, warm=tmp_path / "theirs")
        with own_parent("bare", given) as found:
            assert found() == given
    assert not is_there(tmp_path / "theirs", PYTHON)
    assert not answers(tmp_path / "theirs", PYTHON)


@pytest.mark.parametrize("changes", [{"executor": "cold"}, {"executor": "warm"}, {"pythons": {}}])
def test_none_is_kept_where_none_is_wanted(tmp_path: Path, changes: dict[str, object]) -> None:
    given = places(tmp_path, **changes)
    with own_parent("bare", given) as found:
        assert found() == given
    assert not given.scratch.exists()


def test_nobody_waits_for_a_parent_that_does_not_start(tmp_path: Path) -> None:
    with own_parent("bare", places(tmp_path, pythons={"bare": Path("/bin/false")})) as found:
        assert found().warm is not None


def test_a_parent_gets_what_matters_at_the_start_and_no_secret(tmp_path: Path) -> None:
    secrets = {"AWS_SECRET_ACCESS_KEY": "s", "MLFLOW_TRACKING_TOKEN": "s", "HOME": "where secrets are"}
    given = variables_of({"OMP_NUM_THREADS": "2", "PATH": "/bin", "X": "y"} | secrets, tmp_path)
    assert given.keys() & {"OMP_NUM_THREADS", "PATH", "X", *secrets} == {"OMP_NUM_THREADS", "PATH", "HOME"}
    assert given["HOME"] == str(tmp_path)


def test_a_single_step_has_a_parent_beside_the_others(tmp_path: Path) -> None:
    given = places(tmp_path, warm=tmp_path / "ours")
    with another_parent("gate", "bare", given):
        while not answers(given.warm, PYTHON):
            time.sleep(0.01)
    assert not answers(given.warm, PYTHON)


@pytest.mark.parametrize("changes", [{"warm": None}, {"executor": "cold"}])
def test_it_has_none_where_the_others_have_none(tmp_path: Path, changes: dict[str, object]) -> None:
    given = places(tmp_path, **({"warm": tmp_path / "ours"} | changes))
    with another_parent("gate", "bare", given):
        assert not (tmp_path / "ours").exists()


def test_it_has_no_second_one(tmp_path: Path) -> None:
    given = places(tmp_path, warm=tmp_path / "theirs")
    with kept("bare", PYTHON, tmp_path / "theirs") as wait:
        wait()
        with another_parent("gate", "bare", given):
            pass
        assert answers(given.warm, PYTHON)
