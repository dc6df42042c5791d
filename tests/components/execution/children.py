"""Children that end in every way there is: functions of a user's module that the step `prepare` runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from litegate.execution.step import Step
from litegate.execution.step_run import StepRun
from litegate.records import ProduceRequest
from litegate.settings import Settings, settings
from litegate.steps import STEPS

__all__ = ["CODE", "LIMIT", "Make", "limit", "maker"]

Make = Callable[[str], StepRun]


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
    """Not as training, which always starts cold, but as a step that uses MLflow."""
    changes = {"timeout": seconds, "memory": 4, "grace": grace, "storage": False, "tracking": True}
    monkeypatch.setitem(LIMITED, "prepare", dataclasses.replace(STEPS["prepare"], **changes))


def maker(folder: Path, monkeypatch: pytest.MonkeyPatch, executor: str = "cold", warm: Path | None = None) -> Make:
    """What makes the run of a function of `CODE`."""
    (folder / "endings.py").write_text(CODE)
    python = settings().pythons["service"]
    pauses = (0.0, 0.0)
    places = Settings(
        str(folder / "ws"), folder / "cache", folder / "scratch", {"service": python}, pauses, executor, warm
    )
    limit(monkeypatch, LIMIT)

    def make(function: str) -> StepRun:
        request = ProduceRequest(
            entry_point=f"endings:{function}", folder=str(folder), arguments={}, uri=str(folder / "out")
        )
        return StepRun(LIMITED["prepare"], request, places)

    return make
