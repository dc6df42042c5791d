"""The same attacks where the worker is no root: everything lies within a user namespace then."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components.execution.sandbox.hosts import NOBODY, as_nobody, running

BEGIN = """
import ctypes, json, os, resource, sys, time
from litegate.execution.sandbox import Confinement
from litegate.execution.sandbox.confining import confine
root, channel, outside = sys.argv[1], int(sys.argv[2]), os.getpid()
os.chdir(root + "/work")
missing = confine(Confinement(
    parent=os.getppid(), memory=1 << 32, file_size=1 << 30, confined=True, disk=1 << 26, processes=20,
    read=(root + "/code",), write=(root + "/work",), hidden=(root + "/code/secret",),
), channel)
theirs, secret = root + "/code/theirs.py", root + "/code/secret"
libc = ctypes.CDLL(None, use_errno=True)
def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""
ATTEMPTS = {
    "os.chmod(theirs, 0o777)": "Read-only file system",
    "os.utime(theirs, (0, 0))": "Read-only file system",
    "os.setxattr(theirs, 'user.mine', b'x')": "Read-only file system",
    "open(theirs, 'a')": "Read-only file system",
    "os.chmod(secret, 0o644)": "Read-only file system",
    "open(secret)": "Permission denied",
    "os.kill(outside, 9)": "No such process",
    "os.listdir(f'/proc/{outside}/fd')": "No such file or directory",
    "resource.prlimit(outside, resource.RLIMIT_NOFILE, (0, 0))": "Operation not permitted",
    "checked(libc.ptrace(16, 1, 0, 0))": "Operation not permitted",
    "checked(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))": "Operation not permitted",
    "checked(libc.unshare(0x10000000))": "Operation not permitted",
    "os.setuid(0)": "Invalid argument",
    "open('mine', 'w')": "it worked",
    "open('/tmp/mine', 'w')": "it worked",
    "open('/dev/null', 'w')": "it worked",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of nobody's, with code and a secret in it."""
    path = Path(tempfile.mkdtemp(prefix="litegate-test-"))
    for name in ("code/theirs.py", "code/secret", "work/.keep"):
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text("text")
    if os.geteuid() == 0:
        for each in (path, *path.rglob("*")):
            os.chown(each, NOBODY, NOBODY)
    yield path
    shutil.rmtree(path)


def confined(folder: Path, code: str, before: str = "") -> tuple[int, str, str]:
    """Exit code, output, and why the supervisor ended it."""
    reader, writer = os.pipe()
    done = as_nobody(BEGIN + code, str(folder), str(writer), descriptors=(writer,), before=before)
    os.close(writer)
    with os.fdopen(reader) as channel:
        exceeded = channel.read()
    return done.returncode, done.stdout or done.stderr, exceeded


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    done = as_nobody("from litegate.execution.sandbox import namespaces as n; n.may_leave(); n.leave(n.MOUNTS)")
    if done.returncode != 0:
        pytest.skip(f"this host has no user namespaces: {done.stderr.splitlines()[-1]}")


def test_everything_is_applied_and_nothing_outside_is_in_reach(folder: Path) -> None:
    theirs = folder / "code" / "theirs.py"
    before = theirs.stat()
    code = f"""
said = {{}}
for attempt in {list(ATTEMPTS)!r}:
    try:
        exec(attempt)
        said[attempt] = "it worked"
    except OSError as error:
        said[attempt] = error.strerror
print(json.dumps([missing, os.geteuid(), said]))
"""
    status, output, _ = confined(folder, code)
    assert status == 0, output
    missing, user, said = json.loads(output)
    assert (missing, user) == ([], os.geteuid() or NOBODY)
    assert said == ATTEMPTS
    assert theirs.stat() == before


def test_many_processes_and_files_end_it(folder: Path) -> None:
    code = """
try:
    while os.fork():
        pass
    os.execv("/bin/sh", ["sh", "-c", "sleep 600; : " + root])
except OSError:
    time.sleep(600)
"""
    status, output, exceeded = confined(folder, code)
    assert (status, json.loads(exceeded or "[]")) == (
        1,
        ["too_many_processes", "the step had more than 20 processes"],
    ), output
    assert not running(f"sleep 600; : {folder}")
    status, output, exceeded = confined(folder, "open('x', 'w').truncate(1 << 27)")
    assert (status, json.loads(exceeded or "[]")[:1]) == (1, ["disk_limit"]), output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide a part of /proc")
def test_where_a_container_hides_parts_of_proc_the_rest_is_applied(folder: Path) -> None:
    code = """
print(*missing, flush=True)
try:
    open(theirs, "a")
except OSError as error:
    print(error.strerror, flush=True)
try:
    while os.fork():
        pass
except OSError:
    pass
time.sleep(600)
"""
    status, output, exceeded = confined(folder, code, before="mount --bind /dev/null /proc/iomem")
    assert output.splitlines() == [
        "no /proc of its own (mount: Operation not permitted): other processes can be seen",
        "Read-only file system",
    ]
    assert (status, json.loads(exceeded or "[]")[:1]) == (1, ["too_many_processes"])


def test_the_kernel_limits_its_threads_too(folder: Path) -> None:
    status, output, _ = confined(folder, "print(resource.getrlimit(resource.RLIMIT_NPROC)[0])")
    assert (status, int(output)) == (0, 2 * 20 * (16 + (os.cpu_count() or 1)))
