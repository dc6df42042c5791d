"""The user's training: a function or a command, what it writes, and what becomes of it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from litegate.digest import digest_file
from litegate.errors import BadInput, StepFailed
from litegate.execution.step_run import StepRun
from litegate.records import Announcement, Produced, Resolved, ResolveRequest, TrainRequest
from litegate.settings import Settings
from litegate.spec import Spec, parse_spec
from litegate.steps import STEPS

pytestmark = pytest.mark.e2e

CODE = """
import os, pathlib, shutil, signal, subprocess, sys, time

def train(folder, source, kind="copy"):
    target = folder / pathlib.Path(source).name
    (shutil.copytree if os.path.isdir(source) else shutil.copyfile)(source, target)
    return str(target) if kind == "text" else target

def into_the_folder_itself(folder, source):
    shutil.copytree(source, folder, dirs_exist_ok=True)
    return folder

def beside_the_spec(folder):
    return train(folder, pathlib.Path("beside.keras").resolve())

def text(folder):
    (folder / "model.keras").write_text("no model")
    return folder / "model.keras"

def empty_folder(folder):
    return folder

def forgets(folder):
    return folder / "model.keras"

def command(source, target):
    print("from", sys.executable, "in", os.getcwd(), flush=True)
    print("step one", flush=True)
    (shutil.copytree if os.path.isdir(source) else shutil.copyfile)(source, target)

def hangs(pid):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    pathlib.Path(pid).write_text(f"{os.getpid()} {child.pid}")
    time.sleep(600)

if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
"""


@dataclass
class Training:
    """Trains by a section `retrain` into a place, as the task does."""

    folder: Path
    places: Settings
    models: Path

    def __call__(self, uri: str, **retrain: Any) -> Produced:
        return self.run(uri, **retrain).run()

    def run(self, uri: str, **retrain: Any) -> StepRun:
        spec = self.spec(uri, retrain=retrain)
        assert spec.retrain is not None
        request = TrainRequest(retrain=spec.retrain, uri=spec.model.uri, folder=str(self.folder))
        return StepRun(STEPS["train"], request, self.places)

    def function(self, uri: str, name: str, **arguments: Any) -> Produced:
        return self(uri, entry_point=f"training:{name}", arguments=arguments)

    def resolve(self, uri: str, *announced: Announcement) -> Resolved:
        request = ResolveRequest(spec=self.spec(uri), folder=str(self.folder), announced=announced)
        return StepRun(STEPS["resolve"], request, self.places).run()

    def spec(self, uri: str, **sections: Any) -> Spec:
        data = {name: {"uri": str(self.models / f"{name}.npz"), "format": "npz"} for name in ("calibration",)}
        test = {"uri": str(self.models / "test.npz"), "format": "npz"}
        return parse_spec({"model": {"name": "m", "uri": uri}, "evaluation": test} | data | sections)


@pytest.fixture
def train(tmp_path: Path, places: Settings, models: Path) -> Training:
    folder = tmp_path / "spec"
    folder.mkdir()
    (folder / "training.py").write_text(CODE)
    return Training(folder, places, models)


def shell(*parts: str) -> list[str]:
    return ["python", "training.py", *parts]


@dataclass(frozen=True)
class Way:
    """A training that copies the model `source` to `{target}`."""

    retrain: Callable[[Path], dict[str, Any]]
    source: str
    uri: str


def by_function(name: str, source: str, **arguments: Any) -> Callable[[Path], dict[str, Any]]:
    return lambda models: {
        "entry_point": f"training:{name}",
        "arguments": {"source": str(models / source)} | arguments,
    }


WAYS = {
    "a function that returns a file": Way(by_function("train", "keras3.keras"), "keras3.keras", "model.keras"),
    "a path as text": Way(by_function("train", "keras2.h5", kind="text"), "keras2.h5", "models/model.h5"),
    "a folder": Way(by_function("train", "keras3_saved_model"), "keras3_saved_model", "m/*/saved_model.pb"),
    "the folder itself": Way(
        by_function("into_the_folder_itself", "keras3_saved_model"), "keras3_saved_model", "m/v-*/saved_model.pb"
    ),
    "a version of a file": Way(by_function("train", "keras3.keras"), "keras3.keras", "models/*.keras"),
    "a command with a placeholder": Way(
        lambda models: {"command": shell("command", str(models / "keras3.keras"), "{output}")},
        "keras3.keras",
        "model.keras",
    ),
    "a command with a variable": Way(
        lambda models: {"command": ["sh", "-c", f'cp -r {models}/keras3_saved_model "$LITEGATE_OUTPUT"']},
        "keras3_saved_model",
        "models/*/saved_model.pb",
    ),
}


@pytest.mark.parametrize("place", ["local", "s3"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_a_training_writes_is_the_model_that_is_resolved(
    train: Training, models: Path, request: pytest.FixtureRequest, way: Way, place: str
) -> None:
    root = train.folder / "out" if place == "local" else f"s3://{request.getfixturevalue('s3_bucket')}"
    uri = f"{root}/{way.uri}"
    made = train(uri, **way.retrain(models))
    resolved = train.resolve(uri).model
    assert (resolved.uri, resolved.digest) == (made.uri, made.digest)
    assert made.bytes == sum(file.bytes for file in resolved.files)
    source = models / way.source
    if source.is_file():
        assert made.digest == digest_file(source)
    else:
        names = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
        assert {file.name for file in resolved.files} == names
        assert made.uri.startswith(str(root))
        assert not made.uri.endswith("saved_model.pb")


def test_a_command_runs_beside_the_spec_by_the_python_of_tensorflow_and_is_heard(
    train: Training, models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "litegate"):
        train(f"{train.folder}/m.keras", command=shell("command", str(models / "keras3.keras"), "{output}"))
    assert f"from {train.places.pythons['tensorflow']} in {train.folder}" in caplog.messages
    assert "step one" in caplog.messages


def test_a_function_runs_beside_the_spec(train: Training, models: Path) -> None:
    os.link(models / "keras3.keras", train.folder / "beside.keras")
    assert train.function(f"{train.folder}/m.keras", "beside_the_spec").digest == digest_file(models / "keras3.keras")


def test_a_version_is_added_and_none_is_changed(train: Training, models: Path) -> None:
    uri = f"{train.folder}/models/*.keras"
    first = train.function(uri, "train", source=str(models / "keras3.keras"))
    second = train.function(uri, "train", source=str(models / "keras3.keras"))
    assert first.uri < second.uri
    assert Path(first.uri).exists()
    assert train.resolve(uri).model.uri == second.uri


@dataclass(frozen=True)
class Bad:
    """A training that leaves no model, and what is said of it."""

    retrain: dict[str, Any]
    said: str
    uri: str = "model.keras"
    kind: str = "bad_input"
    arguments: dict[str, str] = field(default_factory=dict)


def function(name: str) -> dict[str, Any]:
    return {"entry_point": f"training:{name}"}


BAD = {
    "no such function": Bad(function("misspelt"), "expected a function misspelt in .*training.py, got no such name"),
    "wrong arguments": Bad(function("train"), "expected the arguments that it takes, got missing a required"),
    "nothing written": Bad(function("forgets"), "expected the path of what it wrote, got PosixPath.*model.keras"),
    "no model": Bad(function("text"), "what training:text wrote: expected a SavedModel directory, .*a file of b'no m'"),
    "an empty folder": Bad(function("empty_folder"), "got a folder without saved_model.pb"),
    "a folder for a file": Bad(
        function("train"),
        "expected a .keras file, for model.uri is .*model.keras, got a SavedModel folder",
        arguments={"source": "keras3_saved_model"},
    ),
    "a file for a folder": Bad(
        function("train"),
        r"expected a SavedModel folder, for model.uri is .*/\*/saved_model.pb, got a .keras file",
        "models/*/saved_model.pb",
        arguments={"source": "keras3.keras"},
    ),
    "another kind of file": Bad(
        function("train"), "expected a .keras file, .*got a .h5 file", arguments={"source": "keras2.h5"}
    ),
    "no such program": Bad({"command": ["no-such-program"]}, "expected a program .*got no-such-program: No such file"),
    "a program that is none": Bad({"command": ["/etc/passwd"]}, "got /etc/passwd: Permission denied"),
    "a command that writes nothing": Bad({"command": ["true"]}, r"expected a model at \$LITEGATE_OUTPUT, .*nothing"),
    "a command that fails": Bad(
        {"command": ["sh", "-c", "echo no data; exit 2"]},
        "sh -c 'echo no data; exit 2' ended with exit code 2; last said: .*no data",
        kind="exit_code",
    ),
    "a command that crashes": Bad({"command": ["sh", "-c", "kill -SEGV $$"]}, "SIGSEGV", kind="segfault"),
    "a command without memory": Bad(
        {"command": ["sh", "-c", "echo std::bad_alloc; exit 1"]}, "exit code 1", kind="out_of_memory"
    ),
    "one that takes too long": Bad(
        {"command": ["sleep", "600"], "time_limit": 3}, "no result after 3 s", kind="timeout"
    ),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_training_that_leaves_no_model_changes_nothing_and_says_why(train: Training, models: Path, bad: Bad) -> None:
    uri = train.folder / bad.uri
    uri.parent.mkdir(parents=True, exist_ok=True)
    if "*" not in bad.uri:
        uri.write_text("the model of before")
    arguments = {"arguments": {name: str(models / value) for name, value in bad.arguments.items()}}
    before = sorted(train.folder.rglob("*"))
    with pytest.raises((BadInput, StepFailed), match=bad.said) as caught:
        train(str(uri), **(bad.retrain | (arguments if bad.arguments else {})))
    assert getattr(caught.value, "kind", "bad_input") == bad.kind
    assert [path for path in sorted(train.folder.rglob("*")) if "__pycache__" not in path.parts] == before
    assert "*" in bad.uri or uri.read_text() == "the model of before"


def test_a_command_and_what_it_started_end_with_the_step(train: Training, tmp_path: Path) -> None:
    step = train.run(str(tmp_path / "m.keras"), command=shell("hangs", str(tmp_path / "pids")))
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            step.run()
        except StepFailed as error:
            ended.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    numbers = _numbers(tmp_path / "pids")
    step.kill()
    waiting.join(10)
    assert [error.kind for error in ended if isinstance(error, StepFailed)] == ["interrupted"]
    assert all(_has_ended(number) for number in numbers)


def _numbers(path: Path) -> list[int]:
    for _ in range(300):
        if path.exists() and path.read_text().count(" ") == 1:
            return list(map(int, path.read_text().split()))
        time.sleep(0.1)
    raise TimeoutError(path)


def _has_ended(number: int) -> bool:
    for _ in range(50):
        status = Path(f"/proc/{number}/status")
        if not status.exists() or "\nState:\tZ" in status.read_text():
            return True
        time.sleep(0.1)
    return False


def announced(digest: str | None, minute: int = 0) -> Announcement:
    return Announcement(digest=digest, source="retrain__m", timestamp=f"2026-01-01T00:{minute:02}:00+00:00")


@dataclass(frozen=True)
class Told:
    """What events said, `right` being the digest of what is there, and whether it is taken."""

    events: tuple[str | None, ...]
    taken: bool


@pytest.mark.parametrize(
    "row",
    [
        Told((), True),
        Told(("right",), True),
        Told(("wrong",), False),
        Told((None,), True),
        Told(("wrong", "right"), True),
        Told(("right", "wrong"), True),
        Told(("wrong", "another"), False),
        Told(("wrong", None), True),
    ],
    ids=str,
)
def test_only_what_was_announced_is_taken(train: Training, models: Path, row: Told) -> None:
    digests = {"right": digest_file(models / "keras3.keras"), "wrong": "0" * 64, "another": "1" * 64, None: None}
    events = [announced(digests[name], minute) for minute, name in enumerate(row.events)]
    uri = str(models / "keras3.keras")
    if row.taken:
        assert train.resolve(uri, *events).trigger == (events[0] if events else None)
        return
    later = ", or one of the 1 announced since" if len(events) > 1 else ""
    said = f"expected the model that retrain__m announced at 2026-01-01T00:00:00.00:00, of digest {'0' * 64}{later}, "
    with pytest.raises(BadInput, match=f"{said}got one of digest {digests['right']}, which nobody has announced"):
        train.resolve(uri, *events)
