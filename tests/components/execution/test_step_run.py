"""How the child of a step can end, and what the caller says of it."""

from __future__ import annotations

import dataclasses
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from litegate.errors import BadInput, StepFailed
from litegate.execution import process
from litegate.execution.confinement import child_environment, memory_limit
from litegate.execution.step import Step
from litegate.execution.step_run import BadStepInput, StepRun
from litegate.failures import Retry
from litegate.records import Artifact, BenchmarkRequest, DataRef, FileRef, ProduceRequest, SampleRequest, SampleSet
from litegate.settings import Settings, settings
from litegate.steps import STEPS
from litegate.storage.workspace import Workspace

CODE = """
import ctypes, os, resource, signal, subprocess, sys, time
from litegate.errors import DataError
def good(folder):
    path = folder / "file"
    path.write_text("hello")
    return path
def bad(folder): raise DataError("data.uri", "a file", "none")
def raises(folder): raise RuntimeError("the converter said no")
def segfaults(folder): ctypes.string_at(0)
def aborts(folder): os.abort()
def bad_alloc(folder):
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\\n")
    os.abort()
def bus_error(folder): os.kill(os.getpid(), signal.SIGBUS)
def allocates(folder): return bytearray(1 << 45)
def hides_it(folder):
    try:
        bytearray(1 << 45)
    except MemoryError as error:
        raise DataError("preprocess", "a sample", "MemoryError") from error
def interrupted(folder): os.kill(os.getpid(), signal.SIGTERM)
def dies(folder): os.kill(os.getpid(), signal.SIGKILL)
def traps(folder): os.kill(os.getpid(), signal.SIGTRAP)
def begun(folder):
    with open(os.path.join(os.path.dirname(__file__), "begun"), "a") as file: file.write(f"{os.getpid()}\\n")
    return open(file.name).read().count("\\n")
def killed_once(folder): return good(folder) if begun(folder) > 1 else time.sleep(600)
def dies_always(folder):
    begun(folder)
    dies(folder)
def crashes_always(folder):
    begun(folder)
    segfaults(folder)
def exits(folder): os._exit(0)
def leaves(folder): os._exit(7)
def says_whether_its_folder_is_held(folder):
    from pathlib import Path
    from litegate.storage.scratch import is_held
    raise RuntimeError(f"held: {is_held(Path.cwd())}")
def fills(folder): raise OSError(28, os.strerror(28))
def fills_natively(folder):
    os.write(2, b"terminate called: No space left on device")
    os.abort()
def writes_and_crashes(folder):
    (folder.parent / "result.json").write_text('{"uri": "u", "digest": "%s", "bytes": 1}' % ("d" * 64))
    os.abort()
def crashes_at_the_end(folder):
    import atexit
    atexit.register(os.abort)
    return good(folder)
def hangs(folder):
    print("still here", flush=True)
    time.sleep(600)
def cleans_up(folder):
    def end(*_):
        open(os.path.join(os.path.dirname(__file__), "cleaned"), "w").close()
        sys.exit(1)
    signal.signal(signal.SIGTERM, end)
    print("ready to end", flush=True)
    time.sleep(600)
def stops(folder): os.kill(os.getpid(), signal.SIGSTOP)
def leaves_a_grandchild(folder):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return good(folder)
def leaves_the_session(folder):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(40)"], start_new_session=True)
    return good(folder)
def floods(folder):
    line = b"all work and no play" * 50 + b"\\n"
    for _ in range(40_000):
        os.write(1, line)
    os.write(1, b"x" * 5_000_000 + b"\\nlast words\\n")
    os.abort()
def nonsense(folder):
    (folder.parent / "result.json").write_text("{}")
    os._exit(0)
def dirty(folder):
    os.write(1, b"\\x1b[31mred\\x1b[0m \\x1b]52;c;aGk=\\x07 tab\\tbed\\n")
    raise RuntimeError("\\x1b]0;mine\\x07 said\\nno")
def claims(folder):
    (folder.parent / "error.json").write_text('{"kind": ["killed"], "message": {"a": 1}}')
    os._exit(1)
def claims_more(folder):
    (folder.parent / "error.json").write_text('{"kind": "%s", "message": "%s"}' % ("k" * 100, "m" * 100_000))
    os._exit(1)
def nested(folder):
    (folder.parent / "error.json").write_text("[" * 200_000)
    os._exit(2)
def no_json(folder):
    (folder.parent / "error.json").write_text("{")
    os._exit(2)
def steals(folder):
    (folder.parent / "result.json").symlink_to("/etc/passwd")
    os._exit(0)
def links_all(folder):
    (folder.parent / "outputs").symlink_to("/etc")
    return good(folder)
def links(folder):
    (folder.parent / "outputs").mkdir()
    (folder.parent / "outputs" / "stolen").symlink_to("/etc/passwd")
    os.mkfifo(folder.parent / "outputs" / "endless")
    return good(folder)
def limits(folder):
    names = ("AS", "FSIZE", "CORE", "NOFILE")
    raise RuntimeError([resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in names])
"""


LIMIT = 60.0
"""Seconds; the machine may be busy. A test of the limit itself asks for a short one."""


LIMITED: dict[str, Step] = {}
"""The step that is run, with the limits of a test."""


def limit(monkeypatch: pytest.MonkeyPatch, seconds: float, grace: float = 0) -> None:
    limited = dataclasses.replace(STEPS["prepare"], timeout=seconds, memory=4, grace=grace)
    monkeypatch.setitem(LIMITED, "prepare", limited)


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], StepRun]:
    (tmp_path / "endings.py").write_text(CODE)
    python = settings().pythons["service"]
    places = Settings(str(tmp_path / "ws"), tmp_path / "cache", tmp_path / "scratch", {"service": python}, (0.0, 0.0))
    limit(monkeypatch, LIMIT)

    def make(function: str) -> StepRun:
        request = ProduceRequest(
            entry_point=f"endings:{function}", folder=str(tmp_path), arguments={}, uri=str(tmp_path / "out")
        )
        return StepRun(LIMITED["prepare"], request, places)

    return make


@pytest.mark.parametrize(
    ("function", "kind", "detail"),
    [
        ("raises", "python_error", "RuntimeError: the converter said no"),
        ("segfaults", "segfault", "SIGSEGV"),
        ("aborts", "abort", "SIGABRT"),
        ("bus_error", "bus_error", "SIGBUS"),
        ("bad_alloc", "out_of_memory", "SIGABRT; last said: terminate called after throwing"),
        ("allocates", "out_of_memory", "MemoryError"),
        ("hides_it", "out_of_memory", "preprocess: expected a sample, got MemoryError"),
        ("interrupted", "signal", "SIGTERM"),
        ("traps", "crash", "SIGTRAP"),
        ("dies", "killed", "SIGKILL"),
        ("exits", "no_result", "exit code 0 without a result"),
        ("leaves", "python_error", "exit code 7"),
        ("fills", "disk_full", "scratch is full; make room there and run it again: OSError: [Errno 28]"),
        ("fills_natively", "disk_full", "scratch is full; make room there and run it again: SIGABRT; last said"),
        ("says_whether_its_folder_is_held", "python_error", "held: True"),
        ("writes_and_crashes", "abort", "SIGABRT"),
        ("nonsense", "forged_result", "the result is not a valid Produced: uri: Field required"),
        ("no_json", "python_error", "exit code 2"),
        ("nested", "python_error", "exit code 2"),
        ("claims", "python_error", "{'a': 1}"),
        ("claims_more", "python_error", "m" * 20_000),
        ("steals", "forged_result", "result.json: expected a plain file"),
    ],
)
def test_a_death_is_reported_as_what_it_was(
    step: Callable[[str], StepRun], tmp_path: Path, function: str, kind: str, detail: str
) -> None:
    with pytest.raises(StepFailed) as caught:
        step(function).run()
    assert caught.value.kind == kind
    assert detail in caught.value.detail
    assert not list((tmp_path / "scratch").iterdir()), "the step's folder is cleaned up"


@pytest.mark.parametrize(("function", "said"), [("hangs", "; last said: still here"), ("stops", "")])
def test_a_child_that_does_not_end_is_ended(
    step: Callable[[str], StepRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, said: str
) -> None:
    limit(monkeypatch, 5)
    with pytest.raises(StepFailed) as caught:
        step(function).run()
    assert (caught.value.kind, caught.value.detail) == ("timeout", f"no result after 5 s{said}")
    assert not list((tmp_path / "scratch").iterdir())


def test_bad_input_keeps_its_message_through_the_process_boundary(step: Callable[[str], StepRun]) -> None:
    with pytest.raises(BadStepInput, match=r"^data\.uri: expected a file, got none$"):
        step("bad").run()


def test_a_good_step_returns_its_record(step: Callable[[str], StepRun], tmp_path: Path) -> None:
    assert step("good").run().bytes == 5
    assert (tmp_path / "out").read_text() == "hello"


def test_kill_ends_the_child_and_its_caller_hears_of_it(step: Callable[[str], StepRun]) -> None:
    running = step("hangs")
    threading.Timer(1.0, running.kill).start()
    with pytest.raises(StepFailed, match="interrupted"):
        running.run()


@pytest.mark.parametrize(("grace", "cleaned"), [(60, True), (0, False)])
def test_a_step_that_has_something_to_end_elsewhere_is_asked_before_it_is_killed(
    step: Callable[[str], StepRun],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    grace: float,
    cleaned: bool,
) -> None:
    limit(monkeypatch, LIMIT, grace)
    running = step("cleans_up")

    def kill_once_it_is_ready(record: logging.LogRecord) -> bool:
        if record.getMessage() == "ready to end":
            running.kill()
        return True

    monkeypatch.setattr(caplog.handler, "filters", [kill_once_it_is_ready])
    with caplog.at_level(logging.INFO, "litegate"), pytest.raises(StepFailed):
        running.run()
    assert (tmp_path / "cleaned").exists() == cleaned


def test_a_step_that_was_killed_before_it_started_does_not_start(step: Callable[[str], StepRun]) -> None:
    running = step("hangs")
    running.kill()
    with pytest.raises(StepFailed, match="interrupted") as caught:
        running.run()
    assert caught.value.kind.retry is Retry.LATER


def test_a_child_that_is_killed_from_outside_is_started_again(
    step: Callable[[str], StepRun], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killer = threading.Thread(target=_kill_the_first, args=(tmp_path / "begun",))
    killer.start()
    assert step("killed_once").run().bytes == 5
    killer.join()
    assert "prepare: killed from outside (killed): trying again in 0 s (2 of 3)" in caplog.messages
    assert len((tmp_path / "begun").read_text().split()) == 2


def _kill_the_first(file: Path) -> None:
    while not (file.exists() and file.read_text().endswith("\n")):
        time.sleep(0.05)
    os.kill(int(file.read_text()), signal.SIGKILL)


@pytest.mark.parametrize(
    ("function", "kind", "times"), [("dies_always", "killed", 3), ("crashes_always", "segfault", 1)]
)
def test_what_ends_in_the_same_way_again_is_given_up(
    step: Callable[[str], StepRun], tmp_path: Path, function: str, kind: str, times: int
) -> None:
    with pytest.raises(StepFailed) as caught:
        step(function).run()
    assert caught.value.kind == kind
    assert caught.value.kind.retry is not Retry.LATER, "a scheduler would only do the same again"
    assert len((tmp_path / "begun").read_text().split()) == times


def test_who_waits_to_try_again_can_be_ended(step: Callable[[str], StepRun], tmp_path: Path) -> None:
    waiting = step("dies_always")
    waiting.settings = dataclasses.replace(waiting.settings, waits=(600.0,))
    threading.Thread(target=_kill_after, args=(tmp_path / "begun", waiting)).start()
    with pytest.raises(StepFailed, match=r"killed|interrupted"):
        waiting.run()
    assert len((tmp_path / "begun").read_text().split()) == 1


def _kill_after(file: Path, waiting: StepRun) -> None:
    while not file.exists() or waiting._process is None or waiting._process._popen.returncode is None:
        time.sleep(0.05)
    waiting.kill()


@pytest.mark.parametrize("function", ["crashes_at_the_end", "leaves_a_grandchild", "leaves_the_session", "links"])
def test_what_happens_after_the_result_does_not_matter(step: Callable[[str], StepRun], function: str) -> None:
    begin = time.monotonic()
    assert step(function).run().bytes == 5
    assert time.monotonic() - begin < 30, "nobody waits for what the child has left behind"


@pytest.mark.parametrize("function", ["links", "links_all"])
def test_files_that_no_result_names_are_not_taken(
    step: Callable[[str], StepRun], tmp_path: Path, function: str
) -> None:
    step(function).run()
    assert not list((tmp_path / "ws").glob("files/*"))


def test_a_flood_of_output_fills_neither_log_nor_memory(
    step: Callable[[str], StepRun], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "litegate"), pytest.raises(StepFailed) as caught:
        step("floods").run()
    assert caught.value.kind == "abort"
    assert "last words" in caught.value.detail
    assert len(caught.value.detail) < 2500
    said = [record.getMessage() for record in caplog.records if record.name.startswith("litegate")]
    assert len(said) == 10_001, said[10_000:]
    assert said[-1] == "... more than 10,000 lines: the rest is left out"
    assert max(map(len, said)) <= 2000


def test_what_a_child_says_does_nothing_to_a_terminal(
    step: Callable[[str], StepRun], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "litegate"), pytest.raises(StepFailed) as caught:
        step("dirty").run()
    assert "red  ]52;c;aGk=  tab\tbed" in caplog.messages
    assert caught.value.detail == "RuntimeError:  ]0;mine  said\nno"


def test_a_kill_while_the_kernel_is_short_of_memory_is_named(
    step: Callable[[str], StepRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter(range(6))
    monkeypatch.setattr(process, "_oom_kills", lambda: next(counts))
    with pytest.raises(StepFailed, match="ran out of memory") as caught:
        step("dies").run()
    assert caught.value.kind == "oom_killed"
    assert not list(counts), "tried three times"


def test_every_child_has_limits(step: Callable[[str], StepRun], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_MEMORY_LIMIT", "3G")
    limit, size = 3 << 30, 16 << 30
    expected = [(limit, limit), (size, size), (0, 0), (4096, 4096)]
    with pytest.raises(StepFailed, match=re.escape(str(expected))):
        step("limits").run()


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("LITEGATE_MEMORY_LIMIT", "lots", r"^LITEGATE_MEMORY_LIMIT: expected a size such as 8G, got 'lots'$"),
        ("LITEGATE_TIME_LIMIT", "0", r"^LITEGATE_TIME_LIMIT: expected a number of seconds, got '0'$"),
    ],
)
def test_a_limit_that_is_none_is_refused(
    step: Callable[[str], StepRun], monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadInput, match=message):
        step("good").run()


def test_the_limit_grows_with_the_files_of_the_step() -> None:
    def limit(size: int) -> int:
        artifact = Artifact(variant="int8", file=FileRef(name="f", digest="d" * 64, bytes=size), signatures={})
        samples = SampleSet(file=FileRef(name="s", digest="5" * 64, bytes=0), samples=1, available=1, labels={})
        return memory_limit(STEPS["benchmark"], BenchmarkRequest(artifact=artifact, samples=samples))

    assert 4 << 30 <= limit(1000) == limit(200 << 20) < 5 << 30
    assert limit(1 << 30) - limit(0) == (3 << 29) + (10 << 30) - (4 << 30)


def test_a_child_ends_with_the_process_that_waits_for_it(step: Callable[[str], StepRun], tmp_path: Path) -> None:
    """Nothing else can end it when that process is killed in a way that it cannot notice."""
    (tmp_path / "waits.py").write_text(WAITS)
    (tmp_path / "endings.py").write_text(CODE + SAYS_ITS_NUMBER)
    task = subprocess.Popen([sys.executable, tmp_path / "waits.py", tmp_path], stderr=subprocess.PIPE, text=True)
    assert task.stderr is not None
    child = int(next(line for line in task.stderr if line.startswith("number "))[7:])
    assert Path(f"/proc/{child}").exists()
    task.kill()
    task.wait()
    task.stderr.close()
    assert _ended(child)


WAITS = """
import logging, sys
from pathlib import Path
from litegate.records import ProduceRequest
from litegate.execution.step_run import StepRun
from litegate.settings import Settings
from litegate.steps import STEPS
logging.basicConfig(level=logging.INFO, format="%(message)s")
folder = sys.argv[1]
request = ProduceRequest(entry_point="endings:says", folder=folder, arguments={}, uri=folder + "/out")
places = Settings(folder + "/ws", Path(folder, "cache"), Path(folder, "scratch"), {"service": Path(sys.executable)})
StepRun(STEPS["prepare"], request, places).run()
"""
SAYS_ITS_NUMBER = """
def says(folder):
    print("number", os.getpid(), flush=True)
    time.sleep(600)
"""


def _ended(number: int) -> bool:
    for _ in range(50):
        if not Path(f"/proc/{number}").exists() or "\nState:\tZ" in Path(f"/proc/{number}/status").read_text():
            return True
        time.sleep(0.1)
    return False


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


def test_the_key_changes_with_the_request_and_the_tools(step: Callable[[str], StepRun], tmp_path: Path) -> None:
    first = step("good").key()
    assert first == step("good").key() != step("bad").key()
    other = step("good")
    other.settings.pythons["service"] = tmp_path / "bin" / "python"
    assert other.key() != first


@pytest.fixture
def sampling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sampling:
    return Sampling(tmp_path, monkeypatch)


class Sampling:
    """The step `sample`, of which only the child is pretended."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        places = Settings(str(folder / "workspace"), folder / "cache", folder / "scratch", settings().pythons)
        manifest = FileRef(name="manifest.jsonl", digest="a" * 64, bytes=1)
        data = DataRef(uri="data.npz", format="npz", digest="b" * 64, manifest=manifest)
        artifact = Artifact(variant="float32", file=FileRef(name="f", digest="d" * 64, bytes=1), signatures={})
        self.step_run = StepRun(STEPS["sample"], SampleRequest(data=data, artifact=artifact, samples=1, seed=1), places)
        (folder / "samples.npz").write_bytes(b"samples")
        file = self.step_run.workspace.keep_file(folder / "samples.npz", "samples.npz")
        self.made = SampleSet(file=file, samples=1, available=1, labels={})
        self.computed = 0
        self.workspace = folder / "workspace"
        monkeypatch.setattr(self.step_run, "_compute", self._compute)

    def _compute(self) -> SampleSet:
        self.computed += 1
        return self.made

    @property
    def result(self) -> Path:
        """Where it is kept."""
        return self.workspace / "results" / "sample" / f"{self.step_run.key()}.json"


def test_a_result_is_found_with_all_its_files_or_not_at_all(sampling: Sampling) -> None:
    run, made = sampling.step_run.run, sampling.made
    assert sampling.step_run.find() is None
    assert (run(), run(), sampling.computed) == (made, made, 1)
    (sampling.workspace / "files" / made.file.digest).unlink()
    assert sampling.step_run.find() is None
    assert (run(), sampling.computed) == (made, 2)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _altered(path: Path) -> None:
    """At equal size."""
    content = path.read_bytes()
    assert b'"samples": 1' in content
    path.write_bytes(content.replace(b'"samples": 1', b'"samples": 0'))


def _of_another(path: Path) -> None:
    Workspace(str(path.parents[2]), path.parent).keep_result("sample", "0" * 64, {"samples": 1})
    (path.parent / f"{'0' * 64}.json").replace(path)


def _deep(path: Path) -> None:
    path.write_bytes(b"[" * 100_000)


@pytest.mark.parametrize("damage", [_cut, _altered, _of_another, _deep], ids=lambda function: function.__name__)
def test_a_damaged_result_is_computed_again_and_that_is_said(
    sampling: Sampling, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    sampling.step_run.run()
    damage(sampling.result)
    assert (sampling.step_run.run(), sampling.computed) == (sampling.made, 2)
    assert f"{sampling.result} is damaged: it is removed, and computed again" in caplog.text
    assert (sampling.step_run.run(), sampling.computed) == (sampling.made, 2)


def test_a_stored_result_that_is_not_that_of_its_request_is_computed_again(
    sampling: Sampling, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody who can write to the workspace can give it a digest as well."""
    forged = sampling.made.model_copy(update={"samples": 1000, "available": 1000})
    sampling.step_run.workspace.keep_result("sample", sampling.step_run.key(), forged.to_json())
    assert (sampling.step_run.run(), sampling.computed) == (sampling.made, 1)
    assert "cannot be that of this step: it is computed again" in caplog.text
