"""A step is a fork of a warm parent where there is one that fits, and is started cold otherwise, with a word."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from litegate.errors import StepFailed
from litegate.execution.executors import forked, warm
from litegate.execution.warm.door import is_there
from litegate.execution.warm.keeping import end, kept, started, variables_of
from litegate.steps import STEPS
from tests.components.execution.children import CODE, Make, maker

PYTHON = Path(sys.executable)
MORE = """
def parent(folder): raise RuntimeError(f"child of {os.getppid()}")
def surroundings(folder):
    import json, random, sys, tempfile
    import numpy
    raise RuntimeError(json.dumps({
        "random": [random.random(), numpy.random.random(), os.urandom(4).hex()],
        "mine": dict(os.environ),
        "paths": [tempfile.gettempdir(), os.getcwd(), sys.path[1]],  # the first is that of this module
        "argv": sys.argv[1:3],
        "open": sorted(os.listdir("/proc/self/fd")),
        "leads": os.getsid(0) == os.getpid(),
        "handlers": str(logging.root.handlers),
    }))
def not_utf8(folder):
    os.write(1, bytes([0xff, 0xfe, 10]))
    raise RuntimeError("said")
def slow(folder):
    time.sleep(1)
    return good(folder)
def own_session(folder):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("number", child.pid, flush=True)
    time.sleep(600)
""".replace("import json", "import json, logging", 1)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_parents: Path) -> Make:
    warm._say.cache_clear()
    return more(tmp_path, monkeypatch, warm_parents)


def more(folder: Path, monkeypatch: pytest.MonkeyPatch, parents: Path | None, executor: str = "warm") -> Make:
    found = maker(folder, monkeypatch, executor, parents)
    (folder / "endings.py").write_text(CODE + MORE)
    return found


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """A folder with a parent of the test's own, which may be ended."""
    with kept("bare", PYTHON, tmp_path / "own") as wait:
        wait()
        yield tmp_path / "own"


def said(make: Make, function: str) -> str:
    with pytest.raises(StepFailed) as caught:
        make(function).run()
    return str(caught.value.detail)


def parent_of(make: Make) -> int:
    return int(said(make, "parent").rpartition(" ")[2])


def test_a_step_is_a_child_of_the_parent(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    found = parent_of(make)
    assert found != os.getpid()
    assert b"litegate.execution.warm" in Path(f"/proc/{found}/cmdline").read_bytes()
    assert "start cold" not in caplog.text


def test_a_fork_is_like_a_process_that_was_started(
    make: Make, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for its number, its name and the order in which it was put together."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "a secret")
    forked, other = (json.loads(said(make, "surroundings").partition(": ")[2]) for _ in range(2))
    folder = tmp_path_factory.mktemp("cold")
    cold = json.loads(said(more(folder, monkeypatch, None, "cold"), "surroundings").partition(": ")[2])
    assert not set(forked.pop("random")) & set(other["random"])
    cold.pop("random")
    for each in (forked, cold):
        paths = each.pop("paths")
        assert paths == [paths[0]] * 3
        assert {each["mine"].pop(name) for name in ("TMPDIR", "KERAS_HOME", "HOME")} == {paths[0]}
        each["mine"].pop("LITEGATE_WARM", None)
    added = forked["mine"].keys() - cold["mine"].keys()
    assert {name for name in added if not name.lstrip("_").startswith("MLFLOW_")} == set(), (
        "imports have set what they always set"
    )
    assert {name: forked["mine"][name] for name in cold["mine"]} == cold["mine"]
    del forked["mine"], cold["mine"]
    assert forked == cold


def test_the_parent_has_none_of_its_keepers_secrets(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "a secret")
    process = started("bare", PYTHON, tmp_path / "another")
    try:
        seen = Path(f"/proc/{process.pid}/environ").read_bytes()
        while b"TF_CPP_MIN_LOG_LEVEL" not in seen:
            time.sleep(0.01)
            seen = Path(f"/proc/{process.pid}/environ").read_bytes()
        assert b"a secret" not in seen
    finally:
        end(process, tmp_path / "another", PYTHON)


def test_several_steps_run_side_by_side(make: Make, tmp_path_factory: pytest.TempPathFactory) -> None:
    runs = [make("slow") for _ in range(6)]
    for run in runs:
        run.request = run.request.model_copy(update={"uri": str(tmp_path_factory.mktemp("out") / "file")})
    threads = [threading.Thread(target=run.run) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(Path(run.request.uri).read_text() == "hello" for run in runs)


def test_what_it_says_need_not_be_text(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "litegate"):
        assert said(make, "not_utf8") == "RuntimeError: said"
    assert "\ufffd\ufffd" in caplog.messages


def test_training_is_always_started_cold(make: Make) -> None:
    training = make("parent")
    training.step = dataclasses.replace(STEPS["prepare"])
    with pytest.raises(StepFailed, match=f"child of {os.getpid()}$"):
        training.run()


@pytest.mark.parametrize("executor", ["auto", "warm"])
def test_without_a_parent_it_starts_cold_and_says_so_if_one_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, executor: str
) -> None:
    warm._say.cache_clear()
    for _ in range(2):
        assert parent_of(more(tmp_path, monkeypatch, tmp_path / "none", executor)) == os.getpid()
    assert caplog.text.count("there is no warm parent in") == (executor == "warm"), "once"


def test_a_parent_that_was_killed_is_not_missed(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    warm._say.cache_clear()
    make = more(tmp_path, monkeypatch, own, "auto")
    _kill(parent_of(make))
    while forked_or_none(own):
        time.sleep(0.01)
    assert parent_of(make) == os.getpid()
    assert "it does not answer: Connection refused; steps start cold" in caplog.text


def forked_or_none(folder: Path) -> bool:
    try:
        connection = forked.connected(folder, PYTHON)
    except OSError:
        return False
    assert connection is not None
    connection.close()
    return True


def test_a_step_whose_parent_is_killed_was_killed_itself_and_is_tried_again(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make = more(tmp_path, monkeypatch, own, "auto")
    number = parent_of(make)
    killer = threading.Thread(target=_kill_once, args=(tmp_path / "begun", number))
    killer.start()
    assert make("killed_once").run().bytes == 5
    killer.join()
    assert "prepare: killed from outside (killed): trying again in 0 s (2 of 3)" in caplog.messages


def _kill_once(begun: Path, number: int) -> None:
    while not (begun.exists() and begun.read_text().endswith("\n")):
        time.sleep(0.05)
    _kill(number)


def _kill(parent: int) -> None:
    assert parent != os.getpid(), "it was started cold"
    os.kill(parent, signal.SIGKILL)


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "PYTHONHASHSEED", "LD_LIBRARY_PATH"])
def test_a_variable_that_matters_at_the_start_has_to_be_the_parents(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    monkeypatch.setenv(name, "17")
    assert parent_of(make) == os.getpid()
    assert f"it was started with other values of {name}; steps start cold" in caplog.text


STALE = """
import sys
from pathlib import Path
from litegate.execution.warm.door import Door
from litegate.execution.warm.inherited import inherited
from litegate.execution.warm.loaded import Loaded
from litegate.execution.warm.parent import WarmParent
import os
python, folder, root = Path(sys.executable), Path(sys.argv[1]), Path(sys.argv[2])
loaded = Loaded(python, root)  # before the door, by which the test knows that it may change the source
sys.exit(WarmParent(Door(folder, python), loaded, inherited(os.environ, python), {}, iter(())).run() or 0)
"""


def test_a_parent_whose_source_has_changed_says_so_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    warm._say.cache_clear()
    source, folder = tmp_path / "source", tmp_path / "stale"
    source.mkdir()
    (source / "step.py").write_text("version = 1\n")
    environment = variables_of(os.environ, folder)
    command = [PYTHON, "-c", STALE, folder, source]
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:
        try:
            while not is_there(folder, PYTHON):
                time.sleep(0.01)
            (source / "step.py").write_text("version = 2, of another length\n")
            assert parent_of(more(tmp_path, monkeypatch, folder, "auto")) == os.getpid()
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert "litegate's source has changed since it was started; steps start cold" in caplog.text
    assert not is_there(folder, PYTHON), "nobody asks it again"


def test_nobody_gets_a_process_who_may_not_read_the_key(warm_parents: Path, tmp_path: Path) -> None:
    """As a confined step where a host offers no mounts: it could connect, but not open a hidden file."""
    key = next(path for path in warm_parents.glob("*.key"))
    only_found = os.open(key, os.O_PATH)
    another = os.open(tmp_path, os.O_RDONLY)
    for descriptor in (only_found, another):
        connection = forked.connected(warm_parents, PYTHON)
        assert connection is not None
        with connection:
            socket.send_fds(connection, [b"{}"], [descriptor] * 4)
            assert connection.recv(100) == b""
        os.close(descriptor)
